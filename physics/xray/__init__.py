"""X-ray physics: geometry, projectors, exact paths, spectra, transmission and detectors."""
