"""Random fields with known statistics: each draws itself on a grid and knows its mean and covariance in closed form."""
