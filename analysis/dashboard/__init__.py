"""The interactive page: scenarios and parameters in, bands, differences and files to keep out."""

FOLDER_VARIABLE = "COMPUTEMARKET_DASHBOARD_DIR"  # where the page finds stored results
RUNS_VARIABLE = "COMPUTEMARKET_DASHBOARD_RUNS"  # and with how many runs it begins
RUN_CHOICES = (32, 64, 128, 256, 512, 1024)
