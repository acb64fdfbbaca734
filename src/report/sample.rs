//! Records and pictures for the tests of this module. `SITEWATCH_SAMPLE=folder cargo test report::` writes the pages, to be looked at.

use std::{collections::BTreeMap, path::PathBuf};

use geo::{LineString, MultiPolygon, Polygon};
use jiff::Timestamp;

use super::{Chip, Gallery, Outlines, Painter, Palette, Rings, Samples, draw, draw_scores};
use crate::declaration::{Role, What};
use crate::finding::*;
use crate::number::round;
use crate::scene::Pass;
use crate::stage::cutoff::Method;
use crate::stage::detect::Detector;
use crate::stage::normalise;

const WIDTH: usize = 120;
const HEIGHT: usize = 90;

/// Writes a page into the folder of `SITEWATCH_SAMPLE`, when that is set.
pub fn write(name: &str, bytes: &[u8]) {
    if let Some(folder) = std::env::var_os("SITEWATCH_SAMPLE").map(PathBuf::from) {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

fn rectangle(x: f64, y: f64, w: f64, h: f64) -> Rings {
    vec![vec![[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]]]
}

/// A place near 2 E, 48.8 N for a pixel of the grid: near enough for a sample.
fn lon_lat([x, y]: [f64; 2]) -> (f64, f64) {
    (2.0 + x * 0.000_137, 48.8 - y * 0.000_09)
}

fn geometry(rings: &Rings) -> Geometry {
    let polygon = |ring: &Vec<[f64; 2]>| Polygon::new(LineString::from_iter(ring.iter().map(|p| lon_lat(*p))), vec![]);
    Geometry::from(&MultiPolygon(rings.iter().map(polygon).collect()))
}

fn interval(start: &str, end: &str) -> Interval {
    Interval {
        start: instant(&format!("{start}T10:56:12Z")),
        end: instant(&format!("{end}T10:56:18Z")),
    }
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn evidence(fact: Fact, supports: bool) -> Evidence {
    Evidence { fact, supports }
}

fn coverage(pixels: u64, reasons: &[(&str, u64)]) -> Coverage {
    let observed = pixels - reasons.iter().map(|(_, n)| n).sum::<u64>();
    Coverage {
        pixels,
        observed,
        observed_fraction: round(observed as f64 / pixels as f64, 6),
        not_observed: reasons.iter().map(|(reason, n)| ((*reason).to_owned(), *n)).collect(),
    }
}

fn site_rings() -> Rings {
    vec![vec![
        [6.0, 8.0],
        [70.0, 4.0],
        [114.0, 12.0],
        [116.0, 70.0],
        [84.0, 86.0],
        [10.0, 82.0],
        [6.0, 8.0],
    ]]
}

fn zones() -> BTreeMap<String, Rings> {
    BTreeMap::from([
        ("hall-1".into(), rectangle(14.0, 14.0, 34.0, 26.0)),
        ("silo-2".into(), rectangle(80.0, 16.0, 20.0, 16.0)),
    ])
}

fn activities() -> BTreeMap<String, Rings> {
    BTreeMap::from([
        ("act-1".into(), rectangle(56.0, 44.0, 18.0, 12.0)),
        ("act-3".into(), rectangle(14.0, 58.0, 16.0, 14.0)),
        ("act-4".into(), rectangle(80.0, 16.0, 20.0, 16.0)),
        ("act-5".into(), rectangle(92.0, 54.0, 14.0, 14.0)),
    ])
}

/// Rectangles x, y, width, height of the anomalies of [`full`].
fn places() -> [(&'static str, Verdict, [f64; 4]); 4] {
    [
        ("sw-41c9e0aa", Verdict::Undeclared, [20.0, 20.0, 12.0, 10.0]),
        ("sw-77d1b3f0", Verdict::OverRun, [68.0, 46.0, 12.0, 7.0]),
        ("sw-9be2400c", Verdict::Consistent, [58.0, 46.0, 8.0, 8.0]),
        ("sw-c0ffee12", Verdict::Inconclusive, [40.0, 72.0, 4.0, 3.0]),
    ]
}

fn anomaly(id: &str, verdict: Verdict, [x, y, w, h]: [f64; 4]) -> Anomaly {
    let (lon, lat) = lon_lat([x + w / 2.0, y + h / 2.0]);
    let (activities, why) = match verdict {
        Verdict::OverRun => (vec!["act-1".to_owned()], Fact::OutsideAreas { fraction: 0.54 }),
        Verdict::Consistent => (
            vec!["act-1".to_owned()],
            Fact::Area {
                activity: "act-1".into(),
                fraction: 1.0,
                tolerance_m: 0.0,
                what: What::Construction,
            },
        ),
        Verdict::Inconclusive => (
            vec![],
            Fact::Edge {
                decides: true,
                fraction: 0.4,
            },
        ),
        _ => (vec![], Fact::NoArea),
    };
    let mut reasons = vec![evidence(why, true)];
    if verdict == Verdict::Undeclared {
        let zone = Fact::Zone {
            fraction: 1.0,
            role: Role::Building,
            zone: "hall-1".into(),
        };
        reasons.push(evidence(zone, true));
        let edge = Fact::Edge {
            decides: false,
            fraction: 0.08,
        };
        reasons.push(evidence(edge, false));
    }
    Anomaly {
        id: id.into(),
        verdict,
        evidence: reasons,
        geometry: geometry(&rectangle(x, y, w, h)),
        centroid: [round(lon, 7), round(lat, 7)],
        area_m2: w * h * 100.0 - 3.4,
        pixels: (w * h) as u64,
        bounds_px: [x as i64, y as i64, w as i64, h as i64],
        p_value: Some(1.3e-6),
        q_value: Some(0.02),
        peak_sigma: 14.23,
        mean_sigma: 9.87,
        change: ["blue", "green", "red", "nir"]
            .iter()
            .zip([0.0832, 0.0911, 0.1043, -0.0521])
            .map(|(band, mean)| BandChange {
                band: (*band).into(),
                mean,
                mean_sigma: round(mean / 0.0091, 2),
                unit: Some("reflectance".into()),
            })
            .collect(),
        dates: interval("2020-02-11", "2020-07-05"),
        votes: Vec::new(),
        course: None,
        zones: if x < 48.0 && y < 40.0 {
            vec!["hall-1".into()]
        } else {
            vec![]
        },
        activities,
    }
}

fn activity(
    id: &str,
    what: What,
    window: (&str, &str),
    verdict: Verdict,
    why: Evidence,
    observed_fraction: f64,
) -> ActivityFinding {
    ActivityFinding {
        id: id.into(),
        what,
        window: Interval {
            start: instant(&format!("{}T00:00:00Z", window.0)),
            end: instant(&format!("{}T00:00:00Z", window.1)),
        },
        notified: instant("2020-01-15T00:00:00Z"),
        verdict,
        evidence: vec![why],
        anomalies: if verdict == Verdict::Consistent {
            vec!["sw-9be2400c".into(), "sw-77d1b3f0".into()]
        } else {
            vec![]
        },
        observed_fraction,
        geometry: geometry(&activities()[id]),
    }
}

fn scene(id: &str, day: &str) -> SceneRecord {
    SceneRecord {
        id: id.into(),
        acquired: interval(day, day),
        sensor: "sentinel-2-l2a".into(),
        platform: Some("sentinel-2b".into()),
        href: Some(format!("https://catalogue.example/items/{id}")),
        relative_orbit: Some(94),
        pass: Some(Pass::Descending),
        pieces: Vec::new(),
        alignment: [
            ("blue", Alignment::Window),
            ("nir", Alignment::Window),
            ("swir16", Alignment::Resampled),
        ]
        .map(|(band, how)| (band.into(), how))
        .into(),
    }
}

/// What would have been found on the site, and in a zone where one kind of change is never found often enough.
fn sensitivity() -> Sensitivity {
    let sizes = |half: [f64; 3], most: Option<[f64; 3]>| {
        let size = |probability, areas: Option<[f64; 3]>| DetectableSize {
            probability,
            low_m2: areas.map_or(Some(4300.0), |areas| Some(areas[0])),
            size_m2: areas.map(|areas| areas[1]),
            high_m2: areas.map(|areas| areas[2]),
        };
        vec![size(0.5, Some(half)), size(0.9, most)]
    };
    let change = |word: &str, contrast_sigma, sizes, intercept, lapse| ChangeSensitivity {
        change: word.into(),
        contrast_sigma,
        curve: Some(DetectionCurve {
            intercept,
            lapse,
            log_likelihood: -61.2,
            size_slope: 3.4,
        }),
        sizes,
        tried: (0..6)
            .zip([1, 4, 11, 15, 16, 17])
            .map(|(class, found)| Tried {
                found,
                from_m2: 100.0 * f64::from(1 << class),
                injected: 17,
                to_m2: 200.0 * f64::from(1 << class),
            })
            .collect(),
    };
    let changes = |most| {
        vec![
            change("darker", Some(6.0), sizes([210.0, 260.0, 330.0], most), -2.4, 0.02),
            change(
                "roof",
                None,
                sizes([100.0, 100.0, 100.0], Some([160.0, 240.0, 310.0])),
                -1.2,
                0.0,
            ),
            change("bare_soil", None, sizes([420.0, 530.0, 660.0], most), -5.6, 0.13),
        ]
    };
    Sensitivity {
        areas: vec![
            AreaSensitivity {
                changes: changes(Some([870.0, 1130.0, 1720.0])),
                injected: 588,
                zone: None,
            },
            AreaSensitivity {
                changes: changes(None),
                injected: 588,
                zone: Some("hall-1".into()),
            },
        ],
        notes: vec!["the spectrum concrete is left out: it has no value for the band rededge".into()],
    }
}

/// Every verdict, a comparison that was judged and one that could not be.
pub fn full() -> SiteReport {
    let (february, july, august) = (
        "S2B_31UDQ_20200211_0_L2A",
        "S2B_31UDQ_20200705_0_L2A",
        "S2B_31UDQ_20200814_0_L2A",
    );
    let zone = |id: &str, role: Role, coverage| ZoneCoverage {
        id: id.into(),
        role,
        coverage,
        geometry: geometry(&zones()[id]),
    };
    let judged = Comparison {
        sensitivity: Some(sensitivity()),
        band: 1,
        before: february.into(),
        after: july.into(),
        dates: interval("2020-02-11", "2020-07-05"),
        registration: None,
        observable: true,
        notes: vec!["the dates lie 145 days apart in the season: vegetation differs".into()],
        coverage: coverage(10_000, &[("cloud", 1_000), ("near_cloud", 300)]),
        zones: vec![
            zone("hall-1", Role::Building, coverage(884, &[("near_cloud", 12)])),
            zone("silo-2", Role::Storage, coverage(320, &[("cloud", 320)])),
        ],
        detectors: vec![Detector::Difference],
        rule: None,
        earlier: Vec::new(),
        fits: Vec::new(),
        normalisation: Some(Normalisation {
            bands: ["blue", "green", "red", "nir"]
                .iter()
                .enumerate()
                .map(|(i, band)| BandFit {
                    band: (*band).into(),
                    gain: 0.97 + 0.011 * i as f64,
                    held_out: None,
                    offset: 0.0031 - 0.002 * i as f64,
                    noise: 0.0091,
                    noise_fraction: 0.03,
                    correlation: 0.942,
                })
                .collect(),
            method: normalise::Method::Robust,
            sampled: 8_700,
            unchanged: 7_911,
        }),
        cutoff: Some(CutoffRecord {
            method: Some(Method::Fdr),
            refusals: vec![CutoffRefusal {
                method: Method::Otsu,
                reason: "the scores have one heap".into(),
            }],
            judged: 8_700,
            null_centre_sigma: 0.04,
            null_scale_sigma: 1.12,
            null_fraction: 0.971,
            seed_fdr: 0.01,
            seed_sigma: Some(5.31),
            grow_sigma: Some(3.4),
            claimed: 262,
            claimed_object_fdr: Some(0.02),
            dropped: 0,
            expected_false_anomalies: 0.041,
            max_expected_false_anomalies: None,
            object_fdr: None,
            tail: Some(TailRecord {
                clusters: 31,
                level_sigma: 2.28,
                mean_height_sigma: 0.86,
            }),
        }),
        anomalies: places().map(|(id, verdict, place)| anomaly(id, verdict, place)).into(),
    };
    let blind = Comparison {
        sensitivity: None,
        band: 2,
        before: july.into(),
        after: august.into(),
        dates: interval("2020-07-05", "2020-08-14"),
        observable: false,
        notes: vec!["4.0 % of the site was observed, 50.0 % are needed".into()],
        coverage: coverage(10_000, &[("cloud", 9_100), ("shadow", 500)]),
        zones: vec![],
        normalisation: None,
        cutoff: None,
        anomalies: vec![],
        ..judged.clone()
    };
    SiteReport {
        report_version: REPORT_VERSION.into(),
        program: Program {
            sitewatch: "0.1.0".into(),
            gdal: "3.6.2".into(),
            proj: "9.1.1".into(),
        },
        run_key: "5d0c1c9e3b".repeat(6) + "aa01",
        site: SiteRecord {
            id: "plant-7".into(),
            name: "Plant 7, northern works".into(),
            area_m2: 812_345.6,
            geometry: geometry(&site_rings()),
        },
        declarations: vec![DeclarationRecord {
            id: "decl-2020-1".into(),
            party: "Party A".into(),
            agreement: "Agreement of 2019".into(),
            issued: instant("2020-01-15T00:00:00Z"),
            supersedes: None,
        }],
        grid: Some(GridRecord {
            crs: "EPSG:32631".into(),
            left_m: 426_580.0,
            top_m: 5_405_430.0,
            pixel_m: 10.0,
            width: WIDTH,
            height: HEIGHT,
        }),
        scenes: vec![
            scene(february, "2020-02-11"),
            scene(july, "2020-07-05"),
            scene(august, "2020-08-14"),
        ],
        refused: vec![RefusedScene {
            id: "S2A_31UDQ_20200610_0_L2A".into(),
            reason: "B04.tif ends after 12 of 40 MiB: fetch it again".into(),
            unreadable: true,
        }],
        refused_features: Vec::new(),
        comparisons: vec![judged, blind],
        activities: vec![
            activity(
                "act-1",
                What::Construction,
                ("2020-03-01", "2020-06-01"),
                Verdict::Consistent,
                evidence(Fact::MatchingChange { area_m2: 24_000.0 }, true),
                1.0,
            ),
            activity(
                "act-3",
                What::Construction,
                ("2020-03-01", "2020-06-01"),
                Verdict::DeclaredNotSeen,
                evidence(Fact::NoChange { fraction: 0.982 }, true),
                0.982,
            ),
            activity(
                "act-4",
                What::Demolition,
                ("2020-03-01", "2020-06-01"),
                Verdict::NotObservable,
                evidence(Fact::AreaHardlyObserved { fraction: 0.0 }, true),
                0.0,
            ),
            activity(
                "act-5",
                What::Earthworks,
                ("2020-07-01", "2020-12-01"),
                Verdict::Inconclusive,
                evidence(
                    Fact::WindowOpen {
                        end: instant("2020-12-01T00:00:00Z"),
                    },
                    true,
                ),
                0.71,
            ),
        ],
        inputs: [
            "declaration.geojson",
            "scenes/S2B_31UDQ_20200211_0_L2A/B02.tif",
            "scenes/S2B_31UDQ_20200705_0_L2A/B02.tif",
        ]
        .map(|path| Input {
            path: path.into(),
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
            bytes: 41_943_040,
        })
        .into(),
        parameters: serde_json::json!({
            "cutoff": { "seed_fdr": 0.01, "grow_sigma": 3.4 },
            "regions": { "min_area_m2": 300.0 },
            "screen": { "cloud_buffer_m": 60.0, "classes": ["cloud", "shadow"] },
        }),
    }
}

/// One judged comparison without a change, a declaration without activities.
pub fn quiet() -> SiteReport {
    let mut report = full();
    report.comparisons.truncate(1);
    report.comparisons[0].anomalies.clear();
    report.comparisons[0].zones.clear();
    report.comparisons[0].sensitivity = None;
    report.activities.clear();
    report.refused.clear();
    report
}

/// One comparison, under cloud.
pub fn unobserved() -> SiteReport {
    let mut report = quiet();
    let comparison = &mut report.comparisons[0];
    comparison.observable = false;
    comparison.coverage = coverage(10_000, &[("cloud", 9_600), ("nodata", 400)]);
    comparison.normalisation = None;
    comparison.cutoff = None;
    report
}

/// `full` with `n` small anomalies.
pub fn crowded(n: usize) -> SiteReport {
    let mut report = full();
    let verdicts = [
        Verdict::Undeclared,
        Verdict::Consistent,
        Verdict::OverRun,
        Verdict::Inconclusive,
    ];
    report.comparisons[0].anomalies = (0..n)
        .map(|i| {
            anomaly(
                &format!("sw-{i:08x}"),
                verdicts[i % 4],
                [(i * 7 % 110) as f64, (i * 13 % 80) as f64, 3.0, 3.0],
            )
        })
        .collect();
    report
}

/// Fields, a road and halls; `after` has the changes of [`places`], and a cloud over silo-2.
fn ground(after: bool) -> Samples {
    let mut pixels = Vec::new();
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let field = ((x / 17) * 5 + (y / 13) * 3) % 4;
            let grain = ((x * 7919 + y * 104_729) % 97) as f32 / 97.0 * 0.012;
            let mut colour = [
                [0.05, 0.09, 0.05, 0.40],
                [0.08, 0.10, 0.07, 0.31],
                [0.11, 0.11, 0.09, 0.17],
                [0.06, 0.10, 0.06, 0.36],
            ][field]
                .map(|v: f32| v + grain);
            if (50..53).contains(&x) || (40..42).contains(&y) {
                colour = [0.16 + grain; 4];
            }
            let inside = |[l, t, w, h]: [f64; 4]| {
                let (x, y) = (x as f64 + 0.5, y as f64 + 0.5);
                x > l && x < l + w && y > t && y < t + h
            };
            if inside([34.0, 18.0, 8.0, 14.0]) {
                colour = [0.22 + grain, 0.2, 0.19, 0.25];
            }
            if after && places().iter().any(|(_, _, place)| inside(*place)) {
                colour = [0.27 + grain, 0.26, 0.25, 0.29];
            }
            if after && inside([78.0, 12.0, 26.0, 24.0]) {
                colour = [f32::NAN; 4];
            }
            // The order of the bands: blue, green, red, nir.
            pixels.push([colour[2], colour[1], colour[0], colour[3]]);
        }
    }
    Samples {
        width: WIDTH,
        height: HEIGHT,
        pixels,
    }
}

fn crop(picture: &Samples, [x, y, w, h]: [i64; 4]) -> Samples {
    let at = |x: i64, y: i64| {
        let inside = (0..WIDTH as i64).contains(&x) && (0..HEIGHT as i64).contains(&y);
        if inside {
            picture.pixels[y as usize * WIDTH + x as usize]
        } else {
            [f32::NAN; 4]
        }
    };
    let pixels = (y..y + h).flat_map(|y| (x..x + w).map(move |x| at(x, y))).collect();
    Samples {
        width: w as usize,
        height: h as usize,
        pixels,
    }
}

/// Pictures that belong to [`full`]; the last anomaly has none.
pub fn gallery() -> Gallery {
    let dates = [ground(false), ground(true)];
    let palette = Palette::of(&["blue", "green", "red", "nir"].map(str::to_owned));
    let painters = Painter::all(&palette, &[&dates[0].pixels, &dates[1].pixels]);
    let chip = |window_px: [i64; 4]| {
        let both = dates.each_ref().map(|date| crop(date, window_px));
        let picture = |painter: &Painter| {
            (
                painter.rendition,
                both.each_ref().map(|date| draw(date, painter).unwrap()),
            )
        };
        let [x, y, w, h] = window_px;
        let score = |x: i64, y: i64| {
            let inside = places().iter().any(|(_, _, [l, t, w, h])| {
                let (x, y) = (x as f64 + 0.5, y as f64 + 0.5);
                x > *l && x < l + w && y > *t && y < t + h
            });
            if inside {
                900 + (x * 37 + y * 11) as i16 % 800
            } else {
                50
            }
        };
        let scores: Vec<i16> = (y..y + h).flat_map(|y| (x..x + w).map(move |x| score(x, y))).collect();
        Chip {
            dates: painters.iter().map(picture).collect(),
            score: Some(draw_scores(&scores, w as usize, h as usize).unwrap()),
            window_px,
        }
    };
    let around = |[x, y, w, h]: [f64; 4]| [x as i64 - 12, y as i64 - 12, w as i64 + 24, h as i64 + 24];
    Gallery {
        site: Some(chip([0, 0, WIDTH as i64, HEIGHT as i64])),
        chips: places()[..3]
            .iter()
            .map(|(id, _, place)| ((*id).to_owned(), chip(around(*place))))
            .collect(),
    }
}

/// Outlines that belong to [`full`].
pub fn outlines() -> Outlines {
    Outlines {
        anomalies: places()
            .iter()
            .map(|(id, _, [x, y, w, h])| ((*id).to_owned(), rectangle(*x, *y, *w, *h)))
            .collect(),
        site: site_rings(),
        zones: zones(),
        activities: activities(),
    }
}
