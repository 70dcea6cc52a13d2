//! Shrinks a run that violates an invariant to the actions that it takes.

use crate::action::Action;
use crate::check::Violation;
use crate::planted::Planted;
use crate::world::World;

/// Plays a run; the events that it had, and what it violated.
pub(crate) fn play(actions: &[Action], planted: Option<Planted>) -> (u64, Option<Violation>) {
    let mut world = World::new(planted);
    let played = world.play(actions);
    (world.events, played.err())
}

/// The fewest actions found that still violate the same, by leaving out ever smaller parts.
pub(crate) fn shrink(
    actions: &[Action],
    violation: &Violation,
    planted: Option<Planted>,
) -> Vec<Action> {
    let mut actions = actions.to_vec();
    let mut size = actions.len().div_ceil(2);
    while size > 0 {
        let mut start = 0;
        while start < actions.len() {
            let end = start.saturating_add(size).min(actions.len());
            let mut fewer = actions.clone();
            fewer.drain(start..end);
            if (play(&fewer, planted).1).is_some_and(|found| found.is_like(violation)) {
                actions = fewer;
            } else {
                start = end;
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    actions
}

/// What happens in a run, line by line, and what it violates in the end.
pub(crate) fn trace(actions: &[Action], planted: Option<Planted>) -> Vec<String> {
    let mut world = World::new(planted);
    world.trace = Some(Vec::new());
    let violation = world.play(actions).err();
    let mut lines = world.trace.take().unwrap_or_default();
    lines.extend(violation.map(|violation| format!("violated: {violation}")));
    lines
}
