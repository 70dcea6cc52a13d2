//! The second chart: what a request costs against how many groups and roles there are.

use std::path::Path;

use plotters::prelude::{
    Circle, Color as _, IntoDrawingArea as _, PathElement, RGBColor, SVGBackend, WHITE,
};
use plotters::style::text_anchor::HPos;

use crate::chart::{Area, Drawn, OTHERS, OURS, text};
use crate::measure::{Measured, minimum};

/// How many groups and roles there are, from row to row: each ten times the one before.
pub(crate) const COUNTS: [usize; 4] = [1, 10, 100, 1000];

/// What is drawn; `None` where not all of its rows were measured.
pub(crate) fn lines(measured: &[Measured]) -> Option<Vec<Line>> {
    let cost = |id: &&str| {
        let row = measured.iter().find(|measured| measured.row.id == *id);
        row.map(|measured| minimum(&measured.worker))
    };
    let line = |(name, rows, color): &(&'static str, [&str; 4], RGBColor)| {
        let costs = rows.iter().map(cost).collect::<Option<_>>()?;
        Some((*name, costs, *color))
    };
    LINES.iter().map(line).collect()
}

/// Writes it.
pub(crate) fn write(file: &Path, lines: &[Line], circumstances: &str) {
    let area = SVGBackend::new(file, (640, 360)).into_drawing_area();
    draw(&area, lines, circumstances)
        .and_then(|()| area.present())
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

/// Its name, what each of its rows cost, and its color.
pub(crate) type Line = (&'static str, Vec<f64>, RGBColor);

fn draw<'a>(area: &Area<'a>, lines: &[Line], circumstances: &str) -> Drawn<'a> {
    area.fill(&WHITE)?;
    let title = "Processor time for each request of a known token, µs (minimum of all rounds)";
    text(area, title, (16, 24), 15, HPos::Left)?;
    let most = lines.iter().flat_map(|line| &line.1);
    let most = most.copied().fold(1.0, f64::max);
    for (count, x) in COUNTS.iter().zip(X) {
        text(area, &count.to_string(), (x, BOTTOM + 16), 12, HPos::Center)?;
    }
    text(area, "groups, roles", (X[3], BOTTOM + 34), 12, HPos::Center)?;
    for ((name, costs, color), place) in lines.iter().zip(0..) {
        let points: Vec<(i32, i32)> = X
            .into_iter()
            .zip(costs)
            .map(|(x, cost)| (x, height(cost / most)))
            .collect();
        area.draw(&PathElement::new(points.clone(), color.stroke_width(2)))?;
        for (point, cost) in points.into_iter().zip(costs) {
            area.draw(&Circle::new(point, 3, color.filled()))?;
            // One line's numbers stand above it, the other's below.
            let beside = (point.0, point.1 - 14 + 28 * place);
            text(area, &format!("{cost:.1}"), beside, 12, HPos::Center)?;
        }
        let legend = (X[0], BOTTOM - 60 + 20 * place);
        area.draw(&Circle::new(legend, 4, color.filled()))?;
        text(area, name, (legend.0 + 12, legend.1), 13, HPos::Left)?;
    }
    text(area, circumstances, (16, 346), 10, HPos::Left)
}

#[expect(clippy::cast_possible_truncation, reason = "bounded first")]
fn height(part: f64) -> i32 {
    BOTTOM - (f64::from(BOTTOM - TOP) * part.clamp(0.0, 1.0)) as i32
}

/// The lines and their rows, in the order of [`COUNTS`].
const LINES: [(&str, [&str; 4], RGBColor); 2] = [
    (
        "as many groups as roles, one of them held",
        [
            "ours-1-group",
            "ours-10-groups",
            "ours-100-groups",
            "ours-1000-groups",
        ],
        OURS,
    ),
    (
        "as many roles, all of them held",
        [
            "ours-1-group",
            "ours-10-held",
            "ours-100-held",
            "ours-1000-held",
        ],
        OTHERS,
    ),
];
const X: [i32; 4] = [60, 230, 400, 570];
const TOP: i32 = 60;
const BOTTOM: i32 = 290;
