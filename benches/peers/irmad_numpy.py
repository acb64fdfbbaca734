"""Iteratively reweighted MAD, so many rounds over every pixel (Nielsen 2007). `irmad_numpy.py before after out.tif rounds`"""
import sys

import numpy as np
import rasterio
from scipy.linalg import eigh
from scipy.stats import chi2

from pair import plain

ROWS = 512
before, after, out, rounds = sys.argv[1:]
with rasterio.open(before) as a, rasterio.open(after) as b:
    profile, pair = a.profile, np.concatenate((a.read(), b.read()))
bands, height = len(pair) // 2, pair.shape[1]
strips = [pair[:, y : y + ROWS].reshape(2 * bands, -1) for y in range(0, height, ROWS)]


def no_change(strip, model):
    """Probability of no change of every pixel of a strip; 1 before the first round."""
    if model is None:
        return np.ones(strip.shape[1])
    means, x, y, variances = model
    strip = strip - means[:, None]
    mads = x.T @ strip[:bands] - y.T @ strip[bands:]
    return chi2.sf((mads * mads / variances[:, None]).sum(0), bands)


model = None
for _ in range(int(rounds)):
    weight, sums, products = 0.0, np.zeros(2 * bands), np.zeros((2 * bands, 2 * bands))
    for strip in strips:
        w = no_change(strip, model)
        values = strip.astype(np.float64)
        weighted = values * w
        weight, sums, products = weight + w.sum(), sums + weighted.sum(1), products + weighted @ values.T
    means = sums / weight
    covariance = products / weight - np.outer(means, means)
    xx, xy, yy = covariance[:bands, :bands], covariance[:bands, bands:], covariance[bands:, bands:]
    squared, x = eigh(xy @ np.linalg.solve(yy, xy.T), xx)
    y = np.linalg.solve(yy, xy.T @ x)
    y /= np.sqrt(np.einsum("ib,ij,jb->b", y, yy, y))
    model = means, x, y, 2 * (1 - np.sqrt(squared))
print("canonical correlations", np.sqrt(squared))
profile = plain(profile) | {"count": 1, "dtype": "float32"}
with rasterio.open(out, "w", **profile) as raster:
    raster.write(np.concatenate([no_change(strip, model) for strip in strips]).reshape(height, -1).astype(np.float32), 1)
