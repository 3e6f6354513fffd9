"""The record: history, stylised facts, calibration."""
