//! Why a pixel cannot be judged: one bit a reason, so several can hold at once.

/// Reasons of one pixel, or of a pair of pixels (both dates joined by `|`).
pub type Flags = u16;

/// The pixel can be judged.
pub const CLEAR: Flags = 0;
/// No scene covers the pixel.
pub const NOT_COVERED: Flags = 1 << 0;
/// The scene holds its no-data value here.
pub const NODATA: Flags = 1 << 1;
/// The value is NaN, infinite, or outside what the sensor can record.
pub const INVALID: Flags = 1 << 2;
/// The sensor was saturated.
pub const SATURATED: Flags = 1 << 3;
/// Cloud, by the scene's quality band.
pub const CLOUD: Flags = 1 << 4;
/// Cirrus, by the scene's quality band.
pub const CIRRUS: Flags = 1 << 5;
/// Cloud shadow, by the scene's quality band.
pub const SHADOW: Flags = 1 << 6;
/// Snow or ice, by the scene's quality band.
pub const SNOW: Flags = 1 << 7;
/// Within the buffer around cloud or shadow.
pub const NEAR_CLOUD: Flags = 1 << 8;
/// Clear, but the detector could not judge it: too little clear ground around it, or too few clear dates.
pub const UNSCORED: Flags = 1 << 9;
/// Outside the site's boundary: never counted, never judged. In flags.tif it stands alone, as the value for no data.
pub const OUTSIDE_SITE: Flags = 1 << 15;

/// Reasons in the order in which a pixel with several is counted under one, so that the reasons add up.
pub const REASONS: [(Flags, &str); 10] = [
    (NOT_COVERED, "not_covered"),
    (NODATA, "nodata"),
    (INVALID, "invalid"),
    (CLOUD, "cloud"),
    (SHADOW, "shadow"),
    (CIRRUS, "cirrus"),
    (SNOW, "snow"),
    (SATURATED, "saturated"),
    (NEAR_CLOUD, "near_cloud"),
    (UNSCORED, "unscored"),
];

/// The name of the first reason in [`REASONS`] that `flags` holds; `None` when the pixel is clear.
pub fn first_reason(flags: Flags) -> Option<&'static str> {
    REASONS.iter().find(|(bit, _)| flags & bit != 0).map(|(_, name)| *name)
}

/// The bit of a reason by its name, as the sensor files write it.
pub fn by_name(name: &str) -> Option<Flags> {
    REASONS.iter().find(|(_, known)| *known == name).map(|(bit, _)| *bit)
}
