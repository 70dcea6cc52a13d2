//! Requests of every kind that either of two policies can tell apart from others.
//!
//! Which rules apply to a path follows from the templates that fit it. Every set of templates that
//! some path fits at all is met by the path of what they have in common, its names filled in with
//! texts that no template has. So it is enough to have one path for each common part of templates,
//! in every spelling that is read differently.

use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};

use crate::authorize::Authorizer;
use crate::databricks::scope::{self, ALL_APIS};
use crate::databricks::{Catalogue, Operation, is_version};
use crate::path::Path;
use crate::path::template::{self, Segment};
use crate::policy::rule::{Rule, Tools};
use crate::policy::rule_book::RuleBook;
use crate::request::mcp::{self, Call, Tool};
use crate::request::workspace;

use super::Sides;
use super::pattern::{FreshNames, Pattern, Spelling};
use super::spelled::{found, operating, other_cases};

/// A request, as far as a policy looks at it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SampleRequest {
    /// The method.
    pub method: Box<str>,
    /// The path.
    pub path: Box<str>,
    /// The MCP call that it names, if any.
    pub tool: Option<SampleTool>,
    /// Whether it is an operation of the catalogue, just as that is written.
    pub is_plain: bool,
    /// The template of a rule that it was written for, if it is for one rule's path alone.
    pub template: Option<Box<str>>,
}

/// An MCP call.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SampleTool {
    /// The method of JSON-RPC.
    pub method: Box<str>,
    /// The tool, prompt or resource.
    pub name: Option<Box<str>>,
}

impl SampleRequest {
    /// What the policy decides.
    pub fn call(&self) -> Call<'_> {
        let tool = self
            .tool
            .as_ref()
            .map_or(Tool::Unknown, |tool| Tool::Known {
                method: &tool.method,
                name: tool.name.as_deref(),
            });
        Call {
            method: &self.method,
            tool,
        }
    }
}

/// Requests for all that two configurations can tell apart among these operations and whatever
/// their rules describe.
pub fn of<'o>(
    sides: Sides<&Authorizer>,
    operations: impl Iterator<Item = &'o Operation>,
) -> Vec<SampleRequest> {
    let books = [&sides.old.policy.rules, &sides.new.policy.rules];
    let paths = books.into_iter().flat_map(RuleBook::paths);
    let mut rules = Vec::new();
    let mut templates: HashMap<Pattern, Box<str>> = HashMap::new();
    let mut literals = vec![];
    let mut versions = vec![FRESH_VERSION];
    for (rule, template) in paths {
        for segment in template.segments() {
            if let Segment::Literal(text) = segment {
                literals.push(&**text);
                versions.extend(Some(&**text).filter(|text| is_version(text)));
            }
        }
        let segments = template.segments().iter().map(Segment::as_ref);
        let pattern = Pattern::of(segments);
        templates
            .entry(pattern.clone())
            .or_insert_with(|| template.as_str().into());
        rules.push((rule, pattern));
    }
    versions.sort_unstable();
    versions.dedup();
    let mut samples = Samples {
        names: FreshNames::apart_from(&literals),
        methods: methods(&rules),
        tools: tools(&rules),
        longest: longest(&rules),
        versions,
        rules,
        templates,
        operations: HashMap::new(),
        made: HashSet::new(),
        requests: Vec::new(),
    };
    for operation in operations {
        let pattern = Pattern::of(template::segments(operation.template));
        samples.plain(&pattern, operation);
        let segments = pattern.segments().len().saturating_add(1);
        samples.longest = samples.longest.max(segments);
        let others = samples.operations.entry(pattern).or_default();
        others.push(operation.template.into());
    }
    samples.all()
}

struct Samples<'a> {
    rules: Vec<(&'a Rule, Pattern)>,
    /// How rules write their patterns.
    templates: HashMap<Pattern, Box<str>>,
    names: FreshNames,
    /// Methods of the rules, `HEAD`, and one that no rule names.
    methods: Vec<Box<str>>,
    tools: Vec<SampleTool>,
    /// As many segments as no template has without a rest.
    longest: usize,
    versions: Vec<&'a str>,
    /// The templates that have a pattern.
    operations: HashMap<Pattern, Vec<Box<str>>>,
    made: HashSet<SampleRequest>,
    requests: Vec<SampleRequest>,
}

/// What of the rules is about a pattern.
#[derive(Clone, Copy, Default)]
struct Touch {
    by_any: bool,
    by_mcp: bool,
}

impl Samples<'_> {
    /// The request that an operation's entry in the catalogue is.
    fn plain(&mut self, pattern: &Pattern, operation: &Operation) {
        let method = match operation.method {
            "*" => "POST",
            method => method,
        };
        let path = pattern.path(
            &self.names,
            Spelling {
                version: version_of(operation.template),
                tail: 1,
                slash: operation.template.ends_with('/'),
            },
        );
        if !scope::covers(ALL_APIS, operation) {
            // Nor does that reach the same path by a method that nobody described.
            self.add(SampleRequest {
                method: FRESH_METHOD.into(),
                path: path.clone().into(),
                tool: None,
                is_plain: false,
                template: None,
            });
        }
        self.add(SampleRequest {
            method: method.into(),
            path: path.into(),
            tool: None,
            is_plain: true,
            template: None,
        });
    }

    /// Follows all that patterns have in common, and writes requests for what rules are about.
    fn all(mut self) -> Vec<SampleRequest> {
        let anything = Pattern::of(std::iter::once(Segment::Rest));
        let of_rules = self.rules.iter().map(|(_, pattern)| pattern.clone());
        let of_operations = self.operations.keys().cloned();
        let first: Vec<Pattern> = of_rules.chain(of_operations).chain([anything]).collect();
        let mut known: HashSet<Pattern> = HashSet::new();
        let mut open: VecDeque<Pattern> = VecDeque::new();
        let mut add = |pattern: Pattern, open: &mut VecDeque<Pattern>| {
            if known.len() < MOST_PATTERNS && known.insert(pattern.clone()) {
                open.push_back(pattern);
            }
        };
        for pattern in first {
            add(pattern, &mut open);
        }
        while let Some(pattern) = open.pop_front() {
            let mut touch = Touch::default();
            let twins = self.twins(&pattern);
            for spelled in std::iter::once(&pattern).chain(&twins) {
                for (rule, other) in &self.rules {
                    let Some(common) = spelled.meet(other) else {
                        continue;
                    };
                    touch.by_any = true;
                    touch.by_mcp |= rule.mcp.is_some();
                    add(common, &mut open);
                    other
                        .meet(spelled)
                        .into_iter()
                        .for_each(|common| add(common, &mut open));
                }
            }
            let is_anything = *pattern.segments() == [Segment::Rest];
            if touch.by_any || is_anything {
                pattern
                    .without_rest()
                    .into_iter()
                    .chain(twins)
                    .for_each(|other| add(other, &mut open));
                self.spellings(&pattern, touch);
            }
        }
        self.requests
    }

    /// The patterns of the other paths of what operations have a pattern's paths, and of the other
    /// name of the workspace that it names.
    fn twins(&self, pattern: &Pattern) -> Vec<Pattern> {
        let path = pattern.path(&self.names, PLAIN);
        let of_workspace = Path::parse(path.as_bytes()).ok();
        let of_workspace = of_workspace.and_then(|path| workspace::other_spelling(&path));
        let of_operation = |(operation, path)| -> Vec<String> {
            Catalogue::shared().other_paths(operation, &path).collect()
        };
        let others = found(&path).into_iter().flat_map(of_operation);
        let mut twins = Vec::new();
        for other in others.chain(of_workspace) {
            let twin = Pattern::read(&other, &self.names);
            if !twins.contains(&twin) {
                twins.push(twin);
            }
        }
        twins
    }

    /// Writes requests of a pattern in every spelling.
    fn spellings(&mut self, pattern: &Pattern, touch: Touch) {
        let has_rest = pattern.segments().last() == Some(&Segment::Rest);
        let tails: &[usize] = if has_rest { &[1, self.longest] } else { &[0] };
        let has_version = matches!(pattern.segments(), [Segment::Literal(api), Segment::Name, ..] if &**api == "api")
            || matches!(pattern.segments(), [Segment::Name, Segment::Name, ..]);
        let templates = self.operations.get(pattern).into_iter().flatten();
        let mut versions: Vec<Option<String>> = templates
            .filter_map(|template| Some(Some(version_of(template)?.to_owned())))
            .collect();
        if has_version {
            let others = self.versions.iter().chain(&[KNOWN_VERSION]);
            versions.extend(others.map(|version| Some((*version).to_owned())));
        }
        versions.push(None);
        let mut paths = Vec::new();
        for (tail, version) in tails
            .iter()
            .flat_map(|tail| versions.iter().map(move |version| (*tail, version)))
        {
            for slash in [false, true] {
                let spelling = Spelling {
                    version: version.as_deref(),
                    tail,
                    slash,
                };
                let path = pattern.path(&self.names, spelling);
                paths.extend(other_cases(pattern, &path));
                paths.push(path);
            }
        }
        for path in paths {
            self.requests_to(&path, pattern, touch);
        }
    }

    fn requests_to(&mut self, path: &str, pattern: &Pattern, touch: Touch) {
        let template = self.templates.get(pattern).cloned();
        let tools = self.tools.iter().filter(|_| touch.by_mcp).cloned();
        let tools: Vec<Option<SampleTool>> = std::iter::once(None).chain(tools.map(Some)).collect();
        let mut methods = self.methods.clone();
        for method in operating(path) {
            if !methods.iter().any(|known| **known == *method) {
                methods.push(method.into());
            }
        }
        for method in methods {
            for tool in &tools {
                self.add(SampleRequest {
                    method: method.clone(),
                    path: path.into(),
                    tool: tool.clone(),
                    is_plain: false,
                    template: template.clone(),
                });
            }
        }
    }

    fn add(&mut self, request: SampleRequest) {
        let as_any = SampleRequest {
            is_plain: false,
            template: None,
            ..request.clone()
        };
        if self.made.insert(as_any) {
            self.requests.push(request);
        }
    }
}

fn version_of(template: &str) -> Option<&str> {
    let version = template.strip_prefix("/api/")?.split('/').next()?;
    is_version(version).then_some(version)
}

fn methods(rules: &[(&Rule, Pattern)]) -> Vec<Box<str>> {
    let named = rules
        .iter()
        .flat_map(|(rule, _)| rule.methods.iter().flatten());
    let mut methods: Vec<Box<str>> = named.cloned().collect();
    // Servers answer it as they would `GET`.
    methods.push("HEAD".into());
    // One that no client sends, for whatever no rule names.
    methods.push(FRESH_METHOD.into());
    let mut seen = HashSet::new();
    methods.retain(|method| seen.insert(method.clone()));
    methods
}

fn tools(rules: &[(&Rule, Pattern)]) -> Vec<SampleTool> {
    let named = |of: fn(&Tools) -> Option<&Vec<Box<str>>>| {
        let tools = rules.iter().filter_map(|(rule, _)| rule.mcp.as_ref());
        tools.filter_map(of).flatten().cloned()
    };
    let mut methods: Vec<Box<str>> = named(|tools| tools.methods.as_ref()).collect();
    methods.extend(["tools/call".into(), "ping".into()]);
    let called = named(|tools| tools.names.as_ref()).map(Some);
    let called = called.chain([Some("example".into()), None]);
    let called: Vec<Option<Box<str>>> = called.collect();
    let mut tools = Vec::new();
    for method in &methods {
        for name in &called {
            let tool = SampleTool {
                method: method.clone(),
                name: name.clone(),
            };
            let is_possible = name.is_some() || !mcp::is_naming(method);
            if is_possible && !tools.contains(&tool) {
                tools.push(tool);
            }
        }
    }
    tools
}

fn longest(rules: &[(&Rule, Pattern)]) -> usize {
    let lengths = rules.iter().map(|(_, pattern)| pattern.segments().len());
    lengths.max().unwrap_or(0).saturating_add(1)
}

const PLAIN: Spelling<'static> = Spelling {
    version: Some(KNOWN_VERSION),
    tail: 1,
    slash: false,
};

const FRESH_METHOD: &str = "REPORT";

const KNOWN_VERSION: &str = "2.0";

/// A version that the API is yet to have.
const FRESH_VERSION: &str = "9.9";

/// Past this, rules are so entangled that an example for each of their common parts helps nobody.
const MOST_PATTERNS: usize = 100_000;
