from setuptools import find_packages, setup

setup(
    package_dir={"phantomsim": "phantomsim", "phantomsim.physics": "physics", "phantomsim.datasets": "datasets"},
    packages=find_packages(include=["phantomsim", "phantomsim.*"])
    + [f"phantomsim.{name}" for name in find_packages(include=["physics", "physics.*"])]
    + ["phantomsim.datasets"],
)
