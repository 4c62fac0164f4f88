"""Photon interactions with matter, shared by X-ray, PET and SPECT."""
