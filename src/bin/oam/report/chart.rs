//! Charts of bars over time, as figures that a page draws in SVG.

use super::days::{self, Day};
use super::view::number;

/// A chart.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) width: u64,
    pub(super) height: u64,
    /// Where the bars begin, and the labels of the lines end.
    pub(super) left: u64,
    pub(super) label: u64,
    /// How wide a bar is.
    pub(super) bar: u64,
    pub(super) lines: Vec<ScaleLine>,
    pub(super) bars: Vec<Bar>,
    pub(super) legend: Vec<Series>,
}

/// A line across the chart.
pub(super) struct ScaleLine {
    pub(super) y: u64,
    pub(super) label: String,
}

/// A bar, of several colours.
pub(super) struct Bar {
    pub(super) x: u64,
    /// What it says to a pointer that rests on it, and to readers of screens.
    pub(super) title: String,
    /// Below it; empty below most.
    pub(super) label: String,
    pub(super) parts: Vec<BarPart>,
}

/// The part of a bar that has one colour.
pub(super) struct BarPart {
    pub(super) class: &'static str,
    pub(super) y: u64,
    pub(super) height: u64,
}

/// What a colour stands for.
#[derive(Clone, Copy)]
pub(super) struct Series {
    pub(super) class: &'static str,
    pub(super) name: &'static str,
    count: fn(&Day) -> u64,
}

impl Series {
    const fn new(class: &'static str, name: &'static str, count: fn(&Day) -> u64) -> Self {
        Self { class, name, count }
    }
}

/// So many days, and the sums of each series in them.
struct Bucket {
    day: String,
    sums: Vec<u64>,
}

/// All charts of some days.
pub(super) fn charts(days: &[Day]) -> Vec<Chart> {
    [
        ("All requests", ALL),
        ("Refused, or let through in shadow mode", REFUSED),
        ("Requests with a static token", STATIC),
    ]
    .into_iter()
    .filter_map(|(title, series)| Chart::of(title, series, days))
    .collect()
}

impl Chart {
    /// `None` where there is nothing to draw.
    fn of(title: &str, series: &[Series], days: &[Day]) -> Option<Self> {
        let (first, last) = (days.first()?.number, days.last()?.number);
        let span = last.saturating_sub(first).saturating_add(1);
        let size = span.div_ceil(MOST_BARS);
        let buckets = buckets(series, days, size);
        let total = |bucket: &Bucket| {
            bucket
                .sums
                .iter()
                .fold(0_u64, |sum, count| sum.saturating_add(*count))
        };
        let most = buckets.iter().map(total).max().filter(|most| *most > 0)?;
        let count = u64::try_from(buckets.len()).unwrap_or(u64::MAX);
        let step = WIDTH.saturating_sub(LEFT).checked_div(count)?.min(WIDEST);
        let each = if size == 1 {
            "day".to_owned()
        } else {
            format!("{size} days")
        };
        let scale = Scale { most };
        let bars = (0_u64..).zip(&buckets).map(|(position, bucket)| Bar {
            x: LEFT.saturating_add(position.saturating_mul(step)),
            title: bucket.title(series),
            label: if position.is_multiple_of(count.div_ceil(LABELS)) {
                bucket.day.clone()
            } else {
                String::new()
            },
            parts: scale.parts(series, bucket),
        });
        Some(Self {
            title: format!("{title}, by {each}"),
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            label: LEFT.saturating_sub(GAP),
            bar: step.saturating_sub(step / 8).saturating_sub(1).max(1),
            lines: [0, most / 2, most].map(|count| scale.line(count)).into(),
            bars: bars.collect(),
            legend: series.to_vec(),
        })
    }
}

/// Sums of so many days each, days without records among them.
fn buckets(series: &[Series], days: &[Day], size: u64) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    let first = days.first().map_or(0, |day| day.number);
    for day in days {
        let position = day
            .number
            .saturating_sub(first)
            .checked_div(size)
            .unwrap_or_default();
        while u64::try_from(buckets.len()).is_ok_and(|length| length <= position) {
            let start = u64::try_from(buckets.len())
                .unwrap_or_default()
                .saturating_mul(size);
            buckets.push(Bucket {
                day: days::date(first.saturating_add(start)),
                sums: vec![0; series.len()],
            });
        }
        if let Some(bucket) = buckets.last_mut() {
            for (sum, one) in bucket.sums.iter_mut().zip(series) {
                *sum = sum.saturating_add((one.count)(day));
            }
        }
    }
    buckets
}

impl Bucket {
    fn title(&self, series: &[Series]) -> String {
        let shown = self.sums.iter().zip(series).filter(|(sum, _)| **sum > 0);
        let shown: Vec<String> = shown
            .map(|(sum, one)| format!("{} {}", number(*sum), one.name))
            .collect();
        format!(
            "{}: {}",
            self.day,
            if shown.is_empty() {
                "none".to_owned()
            } else {
                shown.join(", ")
            }
        )
    }
}

/// From counts to heights.
struct Scale {
    most: u64,
}

impl Scale {
    fn height(&self, count: u64) -> u64 {
        let scaled = u128::from(count)
            .saturating_mul(PLOT.into())
            .checked_div(self.most.into());
        let scaled = scaled
            .and_then(|scaled| u64::try_from(scaled).ok())
            .unwrap_or(PLOT);
        // What is there is seen.
        scaled.max(u64::from(count > 0)).min(PLOT)
    }

    fn line(&self, count: u64) -> ScaleLine {
        ScaleLine {
            y: BASE.saturating_sub(self.height(count)),
            label: number(count),
        }
    }

    fn parts(&self, series: &[Series], bucket: &Bucket) -> Vec<BarPart> {
        let mut top = BASE;
        let parts = series.iter().zip(&bucket.sums).filter(|(_, sum)| **sum > 0);
        parts
            .map(|(one, sum)| {
                let height = self.height(*sum);
                top = top.saturating_sub(height);
                BarPart {
                    class: one.class,
                    y: top,
                    height,
                }
            })
            .collect()
    }
}

const ALL: &[Series] = &[ALLOWED, OBSERVED, REFUSALS, SHADOWED];
const REFUSED: &[Series] = &[REFUSALS, SHADOWED];
const STATIC: &[Series] = &[Series::new("static", "with a static token", |day| {
    day.static_tokens
})];
const ALLOWED: Series = Series::new("allowed", "allowed", |day| day.outcomes.allowed);
const OBSERVED: Series = Series::new("observed", "observed", |day| day.outcomes.observed);
const REFUSALS: Series = Series::new("refused", "refused", |day| day.outcomes.refused);
const SHADOWED: Series = Series::new("shadowed", "let through in shadow mode", |day| {
    day.outcomes.shadowed
});

// The measures of a chart, in the units of its view.
const WIDTH: u64 = 960;
const HEIGHT: u64 = 230;
const BASE: u64 = 200;
const PLOT: u64 = 185;
const LEFT: u64 = 80;
const GAP: u64 = 8;
const WIDEST: u64 = 40;
const MOST_BARS: u64 = 60;

/// As many dates as stand side by side on a phone.
const LABELS: u64 = 4;
