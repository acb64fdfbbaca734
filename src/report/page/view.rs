//! What report.html is given: everything as it stands on the page, so that the templates only place it.

use std::collections::BTreeMap;

use askama::Template;

use super::card::{Card, Deck};
use super::map::Map;
use super::rows::{Activity, CoverageRow, Declaration, Fit, Input, Parameter, Scene, made, parameters};
use super::sensitivity::Sensitivity;
use super::shell;
use super::timeline::Timeline;
use super::viewer::Viewer;
use crate::finding::{Comparison, GridRecord, Interval, RefusedScene, SiteRecord, SiteReport, VERDICTS, Verdict};
use crate::report::english::{self, Sentences, labels as say};
use crate::report::format::{class, three_figures};
use crate::report::likelihood;
use crate::report::pictures::chips::SCORE_CLASSES;
use crate::report::pictures::gallery::{Chip, Gallery, Outlines};
use crate::report::pictures::rendition::Rendition;

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page<'a> {
    policy: String,
    style: String,
    script: &'static str,
    site: &'a SiteRecord,
    facts_of_site: String,
    standing: SiteStatus,
    first: String,
    sentences: Sentences,
    nothing_to_review: &'static str,
    to_review: Vec<Jump>,
    more_to_review: Option<String>,
    counts: Vec<Count>,
    colours: Vec<Colour>,
    first_colour: &'static str,
    has_pictures: bool,
    has_scores: bool,
    score_classes: Vec<String>,
    map: Option<Map>,
    timeline: Option<Timeline>,
    anomalies: usize,
    none_found: &'static str,
    table_caption: String,
    groups: Vec<Group<'a>>,
    has_sensitivity: bool,
    activities: Vec<Activity<'a>>,
    methods: Vec<(&'static str, Vec<String>)>,
    scenes: Vec<Scene<'a>>,
    refused: &'a [RefusedScene],
    made: Vec<(&'static str, String)>,
    declarations: Vec<Declaration<'a>>,
    inputs: Vec<Input<'a>>,
    parameters: Vec<Parameter>,
}

/// How the site stands: class and words.
struct SiteStatus {
    class: &'static str,
    words: &'static str,
}

/// An anomaly to review.
struct Jump {
    number: usize,
    text: String,
}

/// A verdict: its class in the style sheet, its words, how often; `None` where nothing was judged or found.
struct Count {
    class: &'static str,
    words: String,
    number: Option<usize>,
    figure: String,
    /// Whether anomalies can have it.
    filters: bool,
}

/// A rendition that some picture has.
struct Colour {
    word: &'static str,
    label: &'static str,
}

/// A comparison and what was found in it.
struct Group<'a> {
    title: String,
    days: String,
    nothing: String,
    notes: &'a [String],
    cards: Vec<Card<'a>>,
    coverage_caption: String,
    coverage: Vec<CoverageRow>,
    measured: Vec<String>,
    cutoff_notes: Vec<String>,
    normalisation: Option<Fit>,
    sensitivity: Option<Sensitivity>,
}

/// Anomalies to review that the summary names.
const MAX_JUMPS: usize = 6;

impl<'a> Page<'a> {
    pub(super) fn new(report: &'a SiteReport, gallery: &'a Gallery, outlines: &'a Outlines) -> Self {
        let groups = groups(report, gallery, outlines);
        let cards: Vec<&Card> = groups.iter().flat_map(|group| &group.cards).collect();
        let numbers: BTreeMap<&str, usize> = cards
            .iter()
            .map(|card| (card.anomaly.id.as_str(), card.number))
            .collect();
        let found = report.comparisons.iter().map(|c| c.anomalies.len()).sum::<usize>();
        let judged = || report.comparisons.iter().filter(|c| english::was_judged(c));
        let unobserved = judged().next().is_none();
        let sentences = english::sentences(report);
        let review: Vec<&&Card> = cards.iter().filter(|c| c.anomaly.verdict.needs_review()).collect();
        let jump = |card: &&&Card| Jump {
            number: card.number,
            text: say::to_review(card.words, &card.headline, &card.anomaly.zones),
        };
        let style = format!("{}{}", shell::STYLE, map_shape(report));
        let chips: Vec<&Chip> = gallery.site.iter().chain(gallery.chips.values()).collect();
        Self {
            policy: shell::policy(&style),
            style,
            script: shell::SCRIPT,
            site: &report.site,
            facts_of_site: say::facts_of_site(three_figures(report.site.area_m2 / 1e6), period(report).as_ref()),
            standing: standing(report),
            first: english::summary(report).into_iter().next().unwrap_or_default(),
            nothing_to_review: if unobserved {
                say::NOTHING_JUDGED
            } else {
                say::NOTHING_TO_REVIEW
            },
            sentences,
            to_review: review.iter().take(MAX_JUMPS).map(jump).collect(),
            more_to_review: say::more_to_review(review.len().saturating_sub(MAX_JUMPS)),
            counts: counts(report, unobserved),
            first_colour: colours(&chips).first().map_or("", |colour| colour.word),
            colours: colours(&chips),
            has_pictures: !chips.is_empty(),
            has_scores: chips.iter().any(|chip| chip.score.is_some()),
            score_classes: score_classes(),
            map: Map::new(report, gallery, outlines, &cards, found - cards.len()),
            timeline: Timeline::new(report, &numbers),
            anomalies: found,
            none_found: say::no_anomaly(unobserved),
            table_caption: say::table_caption(cards.len(), found),
            activities: report
                .activities
                .iter()
                .map(|a| Activity::new(report, a, &numbers))
                .collect(),
            has_sensitivity: groups.iter().any(|group| group.sensitivity.is_some()),
            methods: english::methods(report),
            scenes: report.scenes.iter().map(Scene::new).collect(),
            refused: &report.refused,
            made: made(report),
            declarations: report.declarations.iter().map(Declaration::new).collect(),
            inputs: report.inputs.iter().map(Input::new).collect(),
            parameters: parameters(report),
            groups,
        }
    }
}

/// The comparisons, newest first; in each what has to be reviewed first. The numbers follow that order.
fn groups<'a>(report: &'a SiteReport, gallery: &'a Gallery, outlines: &'a Outlines) -> Vec<Group<'a>> {
    let most = crate::report::max_shown(report);
    let mut number = 0;
    let mut groups: Vec<Group> = Vec::new();
    for comparison in report.comparisons.iter().rev() {
        let deck = Deck {
            report,
            comparison,
            gallery,
            outlines,
            likelihoods: likelihood::real_change(comparison),
        };
        let shown = crate::report::shown(&comparison.anomalies, most).into_iter();
        let cards = shown.map(|index| {
            number += 1;
            deck.card(number, index)
        });
        let pixel_m2 = report.grid.as_ref().map_or(0.0, |grid| grid.pixel_m * grid.pixel_m);
        groups.push(Group::new(comparison, cards.collect(), pixel_m2));
    }
    for card in groups.iter_mut().flat_map(|group| &mut group.cards) {
        card.previous = (card.number > 1).then(|| card.number - 1);
        card.next = (card.number < number).then_some(card.number + 1);
    }
    groups
}

/// The rule that tells the style sheet the shape of the site's pictures, so that they fit the window: style attributes are forbidden.
fn map_shape(report: &SiteReport) -> String {
    let ratio = |grid: &GridRecord| grid.width as f64 / grid.height.max(1) as f64;
    let ratio = report.grid.as_ref().map_or(1.0, ratio);
    format!("#map {{ --ratio: {ratio:.4}; }}\n")
}

fn period(report: &SiteReport) -> Option<Interval> {
    let judged = || report.comparisons.iter().filter(|c| english::was_judged(c));
    let start = judged().map(|c| c.dates.start).min()?;
    let end = judged().map(|c| c.dates.end).max()?;
    Some(Interval { start, end })
}

/// What was not seen keeps a site from being called clear.
fn standing(report: &SiteReport) -> SiteStatus {
    let hidden = |v| v == Verdict::NotObservable;
    let whole = |c: &Comparison| english::was_judged(c) && c.coverage.observed == c.coverage.pixels;
    let review = report.needs_review();
    let observed = report.comparisons.iter().any(english::was_judged);
    let whole = report.comparisons.iter().all(whole) && !report.activities.iter().any(|a| hidden(a.verdict));
    SiteStatus {
        class: match (review, observed) {
            (true, _) => "undeclared",
            (_, false) => "not-observable",
            _ => "consistent",
        },
        words: say::standing(review, observed, whole),
    }
}

fn counts(report: &SiteReport, unobserved: bool) -> Vec<Count> {
    let counted = report.verdicts();
    let anomalies = || report.comparisons.iter().flat_map(|c| &c.anomalies);
    let count = |verdict: &Verdict| {
        let number = counted.get(verdict).copied().filter(|n| *n > 0);
        let (figure, words) = match number {
            Some(n) => (n.to_string(), verdict.words().to_owned()),
            None if unobserved => ("–".to_owned(), say::not_known(verdict.words())),
            None => ("0".to_owned(), verdict.words().to_owned()),
        };
        Count {
            class: class(*verdict),
            words,
            number,
            figure,
            filters: anomalies().any(|a| a.verdict == *verdict),
        }
    };
    VERDICTS.iter().map(|row| count(&row.verdict)).collect()
}

fn colours(chips: &[&Chip]) -> Vec<Colour> {
    let has = |way: &Rendition| chips.iter().any(|chip| Viewer::renditions(chip).any(|one| one == *way));
    let colour = |way: Rendition| Colour {
        word: way.word(),
        label: say::rendition(way),
    };
    Rendition::ALL.into_iter().filter(has).map(colour).collect()
}

fn score_classes() -> Vec<String> {
    let next = |place: usize| SCORE_CLASSES.get(place + 1).map(|(from, _)| *from);
    let class = |(place, (from, _)): (usize, &(f64, [u8; 3]))| say::score_class(*from, next(place));
    SCORE_CLASSES.iter().enumerate().map(class).collect()
}

impl<'a> Group<'a> {
    fn new(comparison: &'a Comparison, cards: Vec<Card<'a>>, pixel_m2: f64) -> Self {
        let title = say::comparison(&comparison.dates, &comparison.before, &comparison.after);
        let judged = english::was_judged(comparison);
        let observed = english::share(comparison.coverage.observed, comparison.coverage.pixels);
        let mut coverage = vec![CoverageRow::new(say::WHOLE_SITE.to_owned(), &comparison.coverage)];
        let zones = comparison.zones.iter();
        coverage.extend(zones.map(|z| CoverageRow::new(say::zone(&z.id, z.role), &z.coverage)));
        Self {
            days: english::days(&comparison.dates),
            nothing: say::nothing_in(judged, &observed),
            notes: &comparison.notes,
            cards,
            coverage_caption: say::coverage_of(&title, judged),
            coverage,
            measured: english::measured(comparison),
            cutoff_notes: comparison
                .cutoff
                .as_ref()
                .map(english::cutoff_notes)
                .unwrap_or_default(),
            normalisation: comparison.normalisation.as_ref().map(Fit::new),
            sensitivity: Sensitivity::new(comparison, pixel_m2),
            title,
        }
    }
}
