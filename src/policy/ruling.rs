//! What the policy says of every request of one method and path by the rules for one issuer,
//! borrowing nothing, so that it can be remembered.
//!
//! It follows from the configuration alone, and holds under no other.

use crate::databricks::{Lookup, Operation};
use crate::few::Few;
use crate::path::Path;
use crate::request::mcp::{Call, Tool};

use super::governing::{Besides, Governing, Rules};
use super::rule::Rule;
use super::rule_book::RuleBook;
use super::{Applied, Policy, Readings};

/// What the policy says, rules being named by their numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ruling {
    lookup: Lookup,
    governing: Governed,
    denying: Option<usize>,
    in_shadow: Numbered,
}

/// [`Governing`], with numbers for rules.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Governed {
    Ambiguous,
    Operation(&'static Operation),
    Rules(Numbered),
    Unmatched,
}

/// [`Rules`] by their numbers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Numbered {
    rules: Few<usize>,
    besides: Besides,
}

impl Policy {
    /// Whether what is said of a request follows from its method and path, and from the issuer by
    /// whose rules it is said.
    pub const fn may_be_said_again(call: Call<'_>, path: &Path<'_>) -> bool {
        !path.has_escapes() && matches!(call.tool, Tool::Unknown)
    }

    /// What was said of a request, to be said again where [that may be](Policy::may_be_said_again).
    pub fn ruling(&self, readings: &Readings<'_>, applied: &Applied<'_>) -> Ruling {
        let number = |rule: &Rule| self.rules.number_of(rule);
        let numbered = |rules: &Rules<'_>| Numbered {
            rules: rules.iter().map(number).collect(),
            besides: rules.besides(),
        };
        Ruling {
            lookup: readings.lookup,
            governing: match &applied.governing {
                Governing::Ambiguous => Governed::Ambiguous,
                Governing::Operation(operation) => Governed::Operation(operation),
                Governing::Rules(rules) => Governed::Rules(numbered(rules)),
                Governing::Unmatched => Governed::Unmatched,
            },
            denying: applied.denying.map(number),
            in_shadow: numbered(&applied.in_shadow),
        }
    }

    /// Says again what was said of a request of this method and path.
    pub fn rule<'a, 'r>(
        &'a self,
        ruling: &Ruling,
        call: Call<'r>,
        path: Path<'r>,
    ) -> (Readings<'r>, Applied<'a>) {
        let rules = &self.rules;
        let governing = match &ruling.governing {
            Governed::Ambiguous => Governing::Ambiguous,
            Governed::Operation(operation) => Governing::Operation(operation),
            Governed::Rules(numbered) => Governing::Rules(numbered.among(rules)),
            Governed::Unmatched => Governing::Unmatched,
        };
        let readings = Readings::found(self.catalogue, call, path, ruling.lookup);
        let denying = ruling.denying.and_then(|number| rules.rules().get(number));
        let in_shadow = ruling.in_shadow.among(rules);
        let applied = self.applied(&readings, governing, denying, in_shadow);
        (readings, applied)
    }
}

impl Numbered {
    fn among<'a>(&self, rules: &'a RuleBook) -> Rules<'a> {
        let found = self
            .rules
            .iter()
            .filter_map(|&number| rules.rules().get(number));
        Rules::numbered(found.collect(), self.besides)
    }
}
