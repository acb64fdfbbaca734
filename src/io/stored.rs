//! The numbers that pixels are stored as.

use gdal::raster::{GdalDataType, GdalType};

/// A number that pixels are stored as.
pub trait StoredPixel: GdalType + Copy + Default {
    /// The number whose bytes these are, the least significant first.
    fn from_bytes(bytes: &[u8]) -> Self;
    /// The sum of the whole numbers that the bytes stand for, modulo the number of their values: what predictor 2 is undone by (TIFF 6.0,
    /// section 14).
    fn plus(self, other: Self) -> Self;
}

macro_rules! stored {
    ($($number:ty, $plus:expr;)*) => {$(
        impl StoredPixel for $number {
            #[inline]
            fn from_bytes(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().unwrap_or_default())
            }
            #[inline]
            fn plus(self, other: Self) -> Self {
                $plus(self, other)
            }
        }
    )*};
}
stored!(
    u8, u8::wrapping_add;
    u16, u16::wrapping_add;
    i16, i16::wrapping_add;
    f32, |a: f32, b: f32| f32::from_bits(a.to_bits().wrapping_add(b.to_bits()));
);

/// Bytes of a pixel as it is kept once it is decoded.
pub(super) fn kept_bytes(data_type: GdalDataType) -> usize {
    match data_type {
        GdalDataType::UInt8 => 1,
        GdalDataType::UInt16 | GdalDataType::Int16 => 2,
        GdalDataType::Float32 => 4,
        _ => 8,
    }
}
