"""Positron emission tomography and single photons: lines of response, detectors, digitisers, projectors."""
