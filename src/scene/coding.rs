//! Quality bands: what their values mean, and how that is written in a sensor file.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::fault::{did_you_mean, nearest};
use crate::raster::flags::{self, Flags};

/// How a quality band's values become flags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Coding {
    /// A flag for each class. Classes that are not listed are clear; where clear ones are listed, what is not listed is no class: `INVALID`.
    Classes(BTreeMap<i64, Flags>),
    /// A flag for each pattern of bits; several can hold at once.
    Bits(Vec<BitRule>),
    /// A probability: flagged at and above the threshold.
    Above {
        /// In the band's raw units.
        threshold: f64,
        /// What the pixel is then.
        flag: Flags,
    },
}

/// `flag` holds where `raw & mask == equals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BitRule {
    /// The bits that are looked at.
    pub mask: u32,
    /// What they must be.
    pub equals: u32,
    /// What the pixel is then.
    pub flag: Flags,
}

impl Coding {
    /// The flags of a raw quality value. A value that the coding cannot hold (NaN, a negative or fractional bit field, a class that
    /// is none) is `INVALID`.
    pub fn decode(&self, raw: f64) -> Flags {
        if !raw.is_finite() {
            return flags::INVALID;
        }
        match self {
            // No probability is less than none.
            Self::Above { .. } if raw < 0.0 => flags::INVALID,
            Self::Above { threshold, flag } => {
                if raw >= *threshold {
                    *flag
                } else {
                    flags::CLEAR
                }
            }
            _ if raw.fract() != 0.0 => flags::INVALID,
            Self::Classes(classes) => match classes.get(&(raw as i64)) {
                Some(flag) => *flag,
                None if classes.values().any(|flag| *flag == flags::CLEAR) => flags::INVALID,
                None => flags::CLEAR,
            },
            Self::Bits(_) if !(0.0..=f64::from(u32::MAX)).contains(&raw) => flags::INVALID,
            Self::Bits(rules) => rules
                .iter()
                .filter(|rule| raw as u32 & rule.mask == rule.equals)
                .fold(flags::CLEAR, |all, rule| all | rule.flag),
        }
    }

    /// Every flag that the coding can give, except `INVALID` for values that it cannot hold.
    pub fn reasons(&self) -> Flags {
        match self {
            Self::Classes(classes) => classes.values().fold(flags::CLEAR, |all, flag| all | flag),
            Self::Bits(rules) => rules.iter().fold(flags::CLEAR, |all, rule| all | rule.flag),
            Self::Above { flag, .. } => *flag,
        }
    }
}

/// A coding as a sensor file writes it: exactly one of the three.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodingToml {
    classes: Option<Vec<ClassToml>>,
    bits: Option<Vec<BitToml>>,
    above: Option<AboveToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassToml {
    value: i64,
    #[serde(deserialize_with = "flag")]
    flag: Flags,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BitToml {
    bit: Option<u32>,
    mask: Option<u32>,
    equals: Option<u32>,
    #[serde(deserialize_with = "flag")]
    flag: Flags,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AboveToml {
    threshold: f64,
    #[serde(deserialize_with = "flag")]
    flag: Flags,
}

fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Flags, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name == "clear" {
        return Ok(flags::CLEAR);
    }
    flags::by_name(&name).ok_or_else(|| {
        let known: Vec<&str> = flags::REASONS.iter().map(|(_, known)| *known).collect();
        let hint = nearest(&name, known.iter().copied());
        D::Error::custom(format!(
            "unknown flag `{name}`{}: one of {}",
            did_you_mean(hint),
            known.join(", ")
        ))
    })
}

/// The coding that a sensor file writes.
///
/// # Errors
/// It is not exactly one of the three, or one of them is wrong.
pub(super) fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Coding, D::Error> {
    CodingToml::deserialize(deserializer)?
        .try_into()
        .map_err(D::Error::custom)
}

impl TryFrom<CodingToml> for Coding {
    type Error = String;

    fn try_from(written: CodingToml) -> Result<Self, String> {
        match (written.classes, written.bits, written.above) {
            (Some(classes), None, None) => {
                let count = classes.len();
                let classes: BTreeMap<i64, Flags> =
                    classes.into_iter().map(|class| (class.value, class.flag)).collect();
                if classes.len() < count {
                    return Err("a class value is given twice".into());
                }
                Ok(Self::Classes(classes))
            }
            (None, Some(bits), None) => bits
                .into_iter()
                .map(BitRule::try_from)
                .collect::<Result<_, _>>()
                .map(Self::Bits),
            (None, None, Some(AboveToml { threshold, flag })) => Ok(Self::Above { threshold, flag }),
            _ => Err("a coding is exactly one of `classes`, `bits` and `above`".into()),
        }
    }
}

impl TryFrom<BitToml> for BitRule {
    type Error = String;

    fn try_from(written: BitToml) -> Result<Self, String> {
        let (mask, equals) = match (written.bit, written.mask, written.equals) {
            (Some(bit), None, None) if bit < 32 => (1 << bit, 1 << bit),
            (None, Some(mask), Some(equals)) if mask != 0 && equals & !mask == 0 => (mask, equals),
            _ => return Err("a bit rule is `bit` (0 to 31), or `mask` (not 0) and `equals` (bits of the mask)".into()),
        };
        Ok(Self {
            mask,
            equals,
            flag: written.flag,
        })
    }
}
