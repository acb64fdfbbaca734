//! Anomalies in the order of the page, with what the page says of each beside the record.

use super::english::likelihood as words;
use super::likelihood::{of_anomaly, real_change};
use super::{max_shown, shown};
use crate::finding::{Anomaly, Comparison, SiteReport};

/// An anomaly and what the page says of it.
pub(super) struct Numbered<'a> {
    pub comparison: &'a Comparison,
    pub anomaly: &'a Anomaly,
    /// Its number on the page; `None` where the page does not show it.
    pub number: Option<u64>,
    /// How likely it is to be change, in words; `None` where nothing tells.
    pub likelihood: Option<String>,
    /// How much confidence its verdict deserves, in words.
    pub confidence: &'static str,
}

/// The anomalies of `report` in the order of the page: the newest comparison first, in each what has to be reviewed first.
pub(super) fn numbered(report: &SiteReport) -> Vec<Numbered<'_>> {
    let most = max_shown(report);
    let mut number = 0;
    let mut all = Vec::new();
    for comparison in report.comparisons.iter().rev() {
        let likelihoods = real_change(comparison);
        for (place, index) in shown(&comparison.anomalies, usize::MAX).into_iter().enumerate() {
            number += u64::from(place < most);
            let anomaly = &comparison.anomalies[index];
            let likelihood = likelihoods.as_ref().and_then(|all| all.get(index));
            let confidence = of_anomaly(comparison, anomaly).map(|confidence| confidence.level());
            all.push(Numbered {
                comparison,
                anomaly,
                number: (place < most).then_some(number),
                likelihood: likelihood.map(|p| words::likelihood_words(*p)),
                confidence: words::confidence_words(confidence),
            });
        }
    }
    all
}
