//! All rules, and which of them apply to a request.
//!
//! A rule is for an operation, not for a spelling of its path: what restricts is looked up under
//! every [reading](super::reading) of a request, what opens under the path as it was sent. Of the
//! rules that apply, the most specific path counts: at the first segment where two templates differ
//! a literal goes before `{name}:verb`, that before `{id}`, and that before `{path=**}`. Of one
//! path, a rule for named MCP tools goes before one for MCP methods, and that before one for all
//! calls. Where neither of two paths is the more specific one, because they fit different readings,
//! both rules apply.
//!
//! Deny rules win over everything, however general.

mod shelf;

use std::cmp::Ordering;

use crate::databricks;
use crate::few::Few;
use crate::path::Path;
use crate::path::case;
use crate::path::index::{Escapes, Index};
use crate::path::template::{self, Segment, Template};

use super::reading::{self, Fit, Origin, Readings};
use super::rule::{Effect, Mode, Rule};

use shelf::Shelf;

/// All rules, found by path.
#[derive(Default)]
pub struct RuleBook {
    rules: Vec<Rule>,
    places: Vec<RulePath>,
    /// Those that may be for what another path of an operation leaves open.
    incomplete: Vec<usize>,
    index: Index<Shelf>,
    depends_on_issuers: bool,
    depends_on_tools: bool,
}

/// A path of a rule.
struct RulePath {
    /// The position of the rule.
    rule: usize,
    template: Template,
}

/// Two rules that overlap and are equally specific.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Overlap {
    /// The position of the rule that was there first.
    pub earlier: usize,
}

impl RuleBook {
    /// Adds a rule for these paths, unless one of them makes a tie.
    pub fn add(&mut self, rule: Rule, paths: &[Template]) -> Result<(), Overlap> {
        let number = self.rules.len();
        for path in paths {
            self.check_tie(&rule, path)?;
        }
        for path in paths {
            let (rules, places) = (&self.rules, &self.places);
            let is_alike = |place: usize| {
                let other = places.get(place);
                other.is_some_and(
                    |RulePath {
                         rule: other,
                         template,
                     }| {
                        let same_path = specificity(template, path, false) == Some(Ordering::Equal);
                        let other = rules.get(*other);
                        same_path && other.is_some_and(|other| other.is_alike_unknown(&rule))
                    },
                )
            };
            let segments = shelf::segments_of(path);
            self.index
                .change(segments.iter().map(Segment::as_ref), |shelves| {
                    if shelves.is_empty() {
                        shelves.push(Shelf::default());
                    }
                    for shelf in shelves.as_mut_slice() {
                        shelf.put(places.len(), &rule, is_alike);
                    }
                });
            if reading::may_be_left_open(path) {
                self.incomplete.push(places.len());
            }
            self.places.push(RulePath {
                rule: number,
                template: path.clone(),
            });
        }
        self.depends_on_issuers |= rule.issuers.is_some();
        self.depends_on_tools |= rule.mcp.is_some();
        self.rules.push(rule);
        Ok(())
    }

    fn check_tie(&self, rule: &Rule, path: &Template) -> Result<(), Overlap> {
        let segments = shelf::segments_of(path);
        let shelves = self.index.at(segments.iter().map(Segment::as_ref));
        let places = shelves.iter().flat_map(Shelf::all);
        for RulePath {
            rule: earlier,
            template,
        } in places.filter_map(|place| self.places.get(place))
        {
            let same_path = specificity(template, path, false) == Some(Ordering::Equal);
            let ties = |other: &Rule| {
                other.effect != Effect::Deny && rule.effect != Effect::Deny && other.overlaps(rule)
            };
            if same_path && self.rules.get(*earlier).is_some_and(ties) {
                return Err(Overlap { earlier: *earlier });
            }
        }
        Ok(())
    }

    /// The rules that apply to a request of this issuer's, or of nobody known.
    pub fn applicable(&self, readings: &Readings<'_>, issuer: Option<&str>) -> Applicable<'_> {
        let mut applicable = Applicable {
            ignores_case: readings.ignores_case(),
            is_known: readings.operation().is_some(),
            ..Applicable::default()
        };
        if self.rules.is_empty() {
            return applicable;
        }
        self.read(
            &readings.path,
            Origin::Sent,
            readings,
            issuer,
            &mut applicable,
        );
        for (path, origin) in readings.others() {
            // What was filled in from a path that can be read can be read.
            if let Ok(path) = Path::parse(path.as_bytes()) {
                self.read(&path, origin, readings, issuer, &mut applicable);
                if path
                    .segments()
                    .any(|segment| segment == databricks::UNKNOWN)
                {
                    let places = self.incomplete.iter();
                    let found = |&place| self.found(place, &path, origin, readings, issuer);
                    for found in places.filter_map(found) {
                        applicable.add(found, false);
                    }
                }
            }
        }
        applicable
    }

    /// Adds the rules that apply to one path in any version of the API, any case and with either
    /// slash, as far as the readings allow that.
    fn read<'a>(
        &'a self,
        path: &Path<'_>,
        origin: Origin,
        readings: &Readings<'_>,
        issuer: Option<&str>,
        applicable: &mut Applicable<'a>,
    ) {
        let text = path.as_str();
        let text = text
            .strip_suffix('/')
            .filter(|text| !text.is_empty())
            .unwrap_or(text);
        let mut visit = |text: &str| {
            let Ok(shelved) = Path::parse(text.as_bytes()) else {
                return;
            };
            let is_ambiguous = self.index.visit(&shelved, |shelf, escapes| {
                shelf.visit(readings.call.tool, issuer, |place| {
                    let found = self.found(place, path, origin, readings, issuer);
                    if let Some(found) = found {
                        applicable.add(found, escapes == Escapes::InName);
                    }
                });
            });
            applicable.is_ambiguous |= is_ambiguous;
        };
        let written = case::lower(text);
        visit(&written);
        if path.has_escapes() && readings.ignores_case() {
            let folded = case::folded(text);
            if folded != written {
                visit(&folded);
            }
        }
    }

    /// The rule at a place, if it applies to this path.
    fn found(
        &self,
        place: usize,
        path: &Path<'_>,
        origin: Origin,
        readings: &Readings<'_>,
        issuer: Option<&str>,
    ) -> Option<AppliedRule<'_>> {
        let RulePath { rule, template } = self.places.get(place)?;
        let rule = self.rules.get(*rule)?;
        let for_get = rule.is_for(readings.call, issuer, readings.head_is_get())?;
        let fit = match origin {
            Origin::Sent => Fit::of(template, path)?,
            Origin::Other | Origin::Guess => Fit::of_other(template, path)?,
        };
        let is_guess = origin == Origin::Guess || !fit.same_names;
        if is_guess && Fit::of(template, &readings.path).is_some_and(|fit| readings.allows(fit)) {
            // It is for the path as it was sent already.
            return None;
        }
        let is_written = origin == Origin::Sent && fit.is_as_written();
        let applies = is_written || (!rule.is_for_one_spelling() && readings.allows(fit));
        applies.then_some(AppliedRule {
            rule,
            template,
            place,
            as_sent: is_written && !for_get,
            is_guess,
            for_get,
            has_escaped_name: false,
        })
    }

    /// Whether some rule is for certain MCP calls only.
    pub const fn depends_on_tools(&self) -> bool {
        self.depends_on_tools
    }

    /// Whether some rule counts for certain issuers only, so that what governs a request depends on
    /// whose token it carries.
    pub const fn depends_on_issuers(&self) -> bool {
        self.depends_on_issuers
    }

    /// Whether there is no rule at all.
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The position of one of these rules among them.
    pub(super) fn number_of(&self, rule: &Rule) -> usize {
        // They stand side by side in memory.
        let is_before = |other: &Rule| std::ptr::from_ref(other) < std::ptr::from_ref(rule);
        self.rules.partition_point(is_before)
    }

    /// Every path of every rule.
    pub fn paths(&self) -> impl Iterator<Item = (&Rule, &Template)> {
        let places = self.places.iter();
        places.filter_map(|place| Some((self.rules.get(place.rule)?, &place.template)))
    }

    /// Every rule, in the configuration's order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }
}

/// The rules that apply to a request, in the configuration's order.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact, and no two go together"
)]
pub struct Applicable<'a> {
    /// Deny rules, enforced.
    pub denying: Few<AppliedRule<'a>>,
    /// Deny rules in shadow mode.
    pub denying_in_shadow: Few<AppliedRule<'a>>,
    /// Of the others that are enforced, the most specific ones.
    pub governing: Few<AppliedRule<'a>>,
    /// The same, had those in shadow mode been enforced.
    pub with_shadow: Few<AppliedRule<'a>>,
    /// Whether a rule that is enforced takes the path as it was sent.
    pub opens: bool,
    /// The same, had those in shadow mode been enforced.
    pub opens_in_shadow: bool,
    /// Whether a rule that is enforced takes the path as it was sent and says which version of the
    /// API it is for.
    pub opens_this_version: bool,
    /// Whether a server that decodes before it routes could follow the path of another rule.
    pub is_ambiguous: bool,
    ignores_case: bool,
    is_known: bool,
}

/// A rule that applies, by one of its paths.
#[derive(Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one fact, and no two go together"
)]
pub struct AppliedRule<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Its path.
    pub template: &'a Template,
    /// Whether it takes the path as it was sent.
    pub as_sent: bool,
    /// Whether it names what the request leaves open, so that it may be for another.
    pub is_guess: bool,
    /// Whether it is for `GET` and applies to `HEAD` because a server answers it likewise.
    for_get: bool,
    /// Whether an escape stands where its path has a name.
    pub has_escaped_name: bool,
    /// Counts through the configuration.
    place: usize,
}

impl<'a> Applicable<'a> {
    fn add(&mut self, found: AppliedRule<'a>, has_escaped_name: bool) {
        let found = AppliedRule {
            has_escaped_name,
            ..found
        };
        let is_enforced = found.rule.mode == Mode::Enforce;
        let to = (self.ignores_case, self.is_known);
        match (&found.rule.effect, is_enforced) {
            (Effect::Deny, true) => keep(&mut self.denying, found, to),
            (Effect::Deny, false) => keep(&mut self.denying_in_shadow, found, to),
            (Effect::Public | Effect::RequireAll(_) | Effect::RequireAny(_), is_enforced) => {
                if is_enforced {
                    self.opens |= found.as_sent;
                    self.opens_this_version |= found.as_sent && names_version(found.template);
                    keep(&mut self.governing, found, to);
                }
                self.opens_in_shadow |= found.as_sent;
                keep(&mut self.with_shadow, found, to);
            }
        }
    }
}

/// Adds a rule to those that apply, unless one of them goes before it; those that it goes before
/// drop out. One that is a guess takes nobody's place, and gives its own to none that is not. Where
/// the catalogue does not know the operation, a rule that takes the path as it was sent gives way
/// to none that takes another spelling: that may be another operation.
fn keep<'a>(
    kept: &mut Few<AppliedRule<'a>>,
    found: AppliedRule<'a>,
    (ignores_case, is_known): (bool, bool),
) {
    let goes_before = |one: &AppliedRule<'_>, other: &AppliedRule<'_>| {
        if one.place == other.place {
            return !one.is_guess || other.is_guess;
        }
        let may_be_another = !is_known && other.as_sent && !one.as_sent;
        if may_be_another || one.is_guess != other.is_guess {
            return false;
        }
        let by_path = specificity(one.template, other.template, ignores_case);
        let by_tools = other.rule.narrowness().cmp(&one.rule.narrowness());
        let by_method = one.for_get.cmp(&other.for_get);
        let order = |by_path: Ordering| by_path.then(by_tools).then(by_method);
        by_path.map(order) == Some(Ordering::Less)
    };
    if !kept.iter().any(|other| goes_before(other, &found)) {
        kept.retain(|other| !goes_before(&found, other));
        kept.insert(found, |other| other.place > found.place);
    }
}

fn specificity(one: &Template, other: &Template, ignores_case: bool) -> Option<Ordering> {
    template::specificity(
        one.segments().iter().map(Segment::as_ref),
        other.segments().iter().map(Segment::as_ref),
        ignores_case,
    )
}

/// Whether a template says which version of the API it is for.
fn names_version(template: &Template) -> bool {
    match template.segments() {
        [Segment::Literal(api), Segment::Literal(version), ..] => {
            &**api == "api" && databricks::is_version(version)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
