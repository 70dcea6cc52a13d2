//! The chart: a bar for each row.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::{
    Color as _, DrawingArea, IntoDrawingArea as _, IntoFont as _, RGBColor, Rectangle, SVGBackend,
    Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{BLACK, TextStyle};

use crate::measure::{Measured, minimum};

/// Writes it.
pub(crate) fn write(file: &Path, measured: &[Measured], circumstances: &str) {
    let bars: Vec<(String, f64, RGBColor)> = measured
        .iter()
        .map(|measured| {
            let row = &measured.row;
            let color = if row.id.starts_with("ours") {
                OURS
            } else {
                OTHERS
            };
            (
                row.name.replace(['*', '`'], ""),
                minimum(&measured.worker),
                color,
            )
        })
        .collect();
    let height = TOP + STEP * i32::try_from(bars.len()).expect("some rows") + BOTTOM;
    let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
    let area = SVGBackend::new(file, size).into_drawing_area();
    draw(&area, &bars, circumstances)
        .and_then(|()| area.present())
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Drawn<'a> = Result<(), plotters::drawing::DrawingAreaErrorKind<std::io::Error>>;

fn draw<'a>(area: &Area<'a>, bars: &[(String, f64, RGBColor)], circumstances: &str) -> Drawn<'a> {
    area.fill(&WHITE)?;
    text(
        area,
        "Processor time for each request, µs (minimum of all rounds)",
        (MARGIN, 24),
        17,
        HPos::Left,
    )?;
    let most = bars.iter().map(|bar| bar.1).fold(1.0, f64::max);
    // A bar that dwarfs the rest is cut, and its number says so.
    let scale = f64::from(LONGEST) / most.min(CUT);
    for ((name, cost, color), place) in bars.iter().zip(0..) {
        let top = TOP + STEP * place;
        let middle = top + BAR / 2;
        let length = length(cost * scale);
        text(area, name, (LABELS - 8, middle), 13, HPos::Right)?;
        area.draw(&Rectangle::new(
            [(LABELS, top), (LABELS + length, top + BAR)],
            color.filled(),
        ))?;
        let cut = if *cost > CUT { " (cut)" } else { "" };
        text(
            area,
            &format!("{cost:.1}{cut}"),
            (LABELS + length + 6, middle),
            13,
            HPos::Left,
        )?;
    }
    let foot = TOP + STEP * i32::try_from(bars.len()).unwrap_or_default() + 18;
    text(area, circumstances, (MARGIN, foot), 11, HPos::Left)
}

#[expect(clippy::cast_possible_truncation, reason = "bounded first")]
fn length(pixels: f64) -> i32 {
    pixels.clamp(1.0, f64::from(LONGEST)) as i32
}

pub(crate) fn text<'a>(
    area: &Area<'a>,
    text: &str,
    at: (i32, i32),
    height: i32,
    side: HPos,
) -> Drawn<'a> {
    let style = TextStyle::from(("sans-serif", height).into_font())
        .color(&BLACK)
        .pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style))
}

pub(crate) const OURS: RGBColor = RGBColor(255, 95, 70);
pub(crate) const OTHERS: RGBColor = RGBColor(150, 165, 180);
const WIDTH: i32 = 1000;
const MARGIN: i32 = 16;
const LABELS: i32 = 470;
const LONGEST: i32 = 430;
const TOP: i32 = 48;
const STEP: i32 = 26;
const BAR: i32 = 18;
const BOTTOM: i32 = 40;
/// Microseconds at which a bar is cut.
const CUT: f64 = 250.0;
