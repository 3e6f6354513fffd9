"""Trade under rules: what may be sold where, licences, and variants designed in answer."""
