"""The switch seen from Python: AMI bytes become typed facts, typed orders become AMI bytes."""
