//! The contexts of this VM, by the host's numbers: the roots, of which there is nearly always one, and the requests on their way.
//!
//! A host may call back while we call it. So whoever works with a context takes out what it changes and puts that back afterwards; nothing
//! here is borrowed over a call of the host. What is taken out is not there: a request whose context is unknown, or is being judged
//! further up, stays where it is. Of a [`Worker`], keys and the list of what is withdrawn are lent to a judgement, which asks the host for
//! the connection's properties and for signatures: meanwhile a request may end, but an answer to a callout would trap. No host has one then.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use hashbrown::HashMap;
use host_calls::callbacks::Action;

use super::callouts::Callouts;
use super::form::Announced;
use super::http::Request;
use super::worker::{Progress, Worker};

/// One plugin's context on this worker.
struct Root {
    context_id: u32,
    /// Absent until a configuration was accepted; every request is refused then.
    worker: Option<Rc<Worker>>,
    callouts: Callouts,
}

type Requests = HashMap<u32, Option<Request>, BuildHasherDefault<Spread>>;

/// Begins a root.
pub(super) fn begin_root(context_id: u32) {
    configure(context_id, None);
}

/// Begins a request of a root. Of one that nobody knows it is refused like those of one that is not configured.
pub(super) fn begin_request(context_id: u32, root_id: u32) {
    let request = Request::new(with_root(root_id, |root| root.worker.clone()).flatten());
    // No host has two of one number. If one did, the later one's verdict would have to be its own.
    let former = with_requests(|requests| requests.insert(context_id, Some(request)));
    if let Some(former) = former.flatten().flatten() {
        former.end(context_id);
    }
}

/// Gives a root what serves it from now on, whose callouts begin anew: answers to what an earlier configuration asked are not this one's.
pub(super) fn configure(root_id: u32, worker: Option<Rc<Worker>>) {
    let root = Root {
        context_id: root_id,
        worker,
        callouts: Callouts::default(),
    };
    let former = ROOTS.with(|roots| {
        let mut roots = roots.try_borrow_mut().ok()?;
        let place = roots.iter_mut().find(|root| root.context_id == root_id);
        if let Some(place) = place {
            return Some(std::mem::replace(place, root));
        }
        roots.push(root);
        None
    });
    drop(former);
}

/// Works for a root that is configured.
pub(super) fn serve_root(root_id: u32, work: impl FnOnce(&Worker, &mut Callouts)) {
    let taken = with_root(root_id, |root| {
        let worker = root.worker.clone()?;
        Some((worker, std::mem::take(&mut root.callouts)))
    });
    let Some((worker, mut callouts)) = taken.flatten() else {
        return;
    };
    work(&worker, &mut callouts);
    with_root(root_id, |root| {
        let is_same = |other| Rc::ptr_eq(&worker, other);
        if root.worker.as_ref().is_some_and(is_same) {
            // What was sent meanwhile, if the host called back, is under way too.
            let sent_meanwhile = std::mem::replace(&mut root.callouts, callouts);
            root.callouts.join(sent_meanwhile);
        }
    });
}

/// Works for a request.
pub(super) fn serve_request(context_id: u32, work: impl FnOnce(&mut Request) -> Action) -> Action {
    let taken = with_requests(|requests| requests.get_mut(&context_id)?.take());
    let Some(mut request) = taken.flatten() else {
        return Action::Pause;
    };
    let action = work(&mut request);
    let orphan = with_requests(|requests| match requests.get_mut(&context_id) {
        Some(place) if place.is_none() => {
            *place = Some(request);
            None
        }
        _ => Some(request),
    });
    if let Some(orphan) = orphan.flatten() {
        orphan.end(context_id);
        return Action::Pause;
    }
    action
}

/// What becomes of a request's body; `None` where it is to be looked at.
pub(super) fn body_action(context_id: u32) -> Option<Action> {
    let action = with_requests(|requests| {
        let request = requests.get(&context_id)?.as_ref()?;
        (!request.awaits_form()).then(|| request.body_action())
    });
    action.flatten()
}

/// A number for a request that no other of this VM ever has, unlike the host's for its context.
pub(super) fn next_number() -> u64 {
    NUMBERS.with(|last| {
        last.set(last.get().wrapping_add(1));
        last.get()
    })
}

/// Whether a request is there and as far as this: a later one of the same context waits under a number of its own, if at all.
pub(super) fn is_at(context_id: u32, progress: Progress) -> bool {
    let found = with_requests(|requests| Some(requests.get(&context_id)?.as_ref()?.progress()));
    found.flatten() == Some(progress)
}

/// Tells a request that is as far as `before` the verdict that it waited for. `false` where there is none.
pub(super) fn settle(context_id: u32, before: Progress, progress: Progress) -> bool {
    let told = with_requests(|requests| {
        let request = requests.get_mut(&context_id)?.as_mut()?;
        (request.progress() == before).then(|| request.settle(progress))
    });
    told.flatten().is_some()
}

/// Whether a request of this number waits for its form.
pub(super) fn awaits_form(context_id: u32, number: u64) -> bool {
    let found =
        with_requests(|requests| Some(requests.get(&context_id)?.as_ref()?.awaits_form_of(number)));
    found.flatten() == Some(true)
}

/// Takes the form that a request waits for, so that it waits no longer.
pub(super) fn take_form(context_id: u32) -> Option<Box<Announced>> {
    with_requests(|requests| requests.get_mut(&context_id)?.as_mut()?.take_form()).flatten()
}

/// Ends a context.
pub(super) fn end(context_id: u32) {
    let request = with_requests(|requests| requests.remove(&context_id)).flatten();
    if let Some(request) = request {
        if let Some(request) = request {
            request.end(context_id);
        }
        return;
    }
    let root = ROOTS.with(|roots| {
        let mut roots = roots.try_borrow_mut().ok()?;
        let place = roots
            .iter()
            .position(|root| root.context_id == context_id)?;
        Some(roots.swap_remove(place))
    });
    drop(root);
}

fn with_root<T>(root_id: u32, work: impl FnOnce(&mut Root) -> T) -> Option<T> {
    ROOTS.with(|roots| {
        let mut roots = roots.try_borrow_mut().ok()?;
        let root = roots.iter_mut().find(|root| root.context_id == root_id)?;
        Some(work(root))
    })
}

fn with_requests<T>(work: impl FnOnce(&mut Requests) -> T) -> Option<T> {
    REQUESTS.with(|requests| Some(work(&mut *requests.try_borrow_mut().ok()?)))
}

/// Numbers that count up need no better: each takes a place of its own, and those that stay for long are spread.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(GOLDEN);
    }
}

/// 2³² divided by the golden ratio, which is odd: numbers in a row lie far apart.
const GOLDEN: u64 = 0x9e37_79b1;

thread_local! {
    static NUMBERS: Cell<u64> = const { Cell::new(0) };
    static ROOTS: RefCell<Vec<Root>> = const { RefCell::new(Vec::new()) };
    static REQUESTS: RefCell<Requests> =
        const { RefCell::new(HashMap::with_hasher(BuildHasherDefault::new())) };
}
