//! Records on their way to an OpenTelemetry collector: OTLP/HTTP, logs.
//!
//! A state machine without I/O: [`Exporter::push`] queues a record, [`Exporter::due`] says what to
//! send, [`Exporter::on_answer`] and [`Exporter::on_failure`] take what came of it. A request never
//! waits for it. The queue is bounded in bytes; a record that does not fit is dropped and counted,
//! and a notice reports to the collector how many were.
//!
//! A batch stays in the queue until the collector has it. One that was sent and never answered is
//! sent again, so a record may arrive twice; `worker` and `sequence` show that. Notices of losses
//! travel by themselves: of a batch that is taken but in part nobody knows which part that is.

mod collector;
mod failure;
mod losses;
mod message;
mod tally;

use std::collections::VecDeque;
use std::time::Duration;

use crate::callout::CalloutRequest;
use crate::callout::flight::Flight;
use crate::callout::retry::{self, Jitter};
use crate::time::UnixTime;
use crate::time::clock::{Clock, Reading, Timer};

pub use collector::{Collector, CollectorHeader};
pub use failure::ExportFailure;
use losses::{Losses, Unreported};
use message::Batch;
pub use tally::Tally;

/// A record that waits for the collector.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exported {
    /// When it was decided.
    pub time: Option<UnixTime>,
    /// Whether the request was let through.
    pub is_allowed: bool,
    /// The trace that the request belongs to, in hexadecimal.
    pub trace_id: Option<Box<str>>,
    /// The record's line.
    pub line: Box<str>,
}

/// One worker's records on their way.
pub struct Exporter {
    collector: Collector,
    queue: VecDeque<Exported>,
    bytes: usize,
    unreported: Unreported,
    tally: Tally,
    clock: Clock,
    due: Timer,
    /// When notices of losses are due, at the earliest: a queue that overflows loses records all
    /// the time.
    notices_due: Timer,
    under_way: Option<UnderWay>,
    /// Whether the last thing sent were notices: records come next then, so that a collector that
    /// takes no notices gets records all the same.
    reported_last: bool,
    /// How many batches in a row failed as a whole.
    failures: u32,
    /// How many in a row were taken but in part.
    partial: u32,
    number: u64,
    jitter: Jitter,
}

/// A batch that was sent: records, or notices of losses.
struct UnderWay {
    flight: Flight,
    records: usize,
    notices: usize,
}

/// A batch that is to be sent.
pub struct Shipment {
    /// What to send.
    pub call: CalloutRequest,
    /// Tells it from an earlier one whose answer may still come.
    number: u64,
}

/// The collector's answer, as far as it matters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Receipt<'a> {
    /// `:status`.
    pub status: u16,
    /// `Retry-After`.
    pub retry_after: Option<&'a [u8]>,
    /// The body.
    pub body: &'a [u8],
}

impl Exporter {
    /// One with nothing to send. `seed` sets the workers' retries apart.
    pub const fn new(collector: Collector, seed: u64) -> Self {
        Self {
            collector,
            queue: VecDeque::new(),
            bytes: 0,
            unreported: Unreported::new(seed),
            tally: Tally::NONE,
            clock: Clock::new(),
            due: Timer::OVER,
            notices_due: Timer::OVER,
            under_way: None,
            reported_last: false,
            failures: 0,
            partial: 0,
            number: 0,
            jitter: Jitter(seed),
        }
    }

    /// Queues a record. `false` where there is no room: it counts as dropped then.
    pub fn push(&mut self, record: Exported) -> bool {
        let bytes = self.bytes.saturating_add(record.bytes());
        let fits = bytes <= self.collector.queue_bytes;
        if fits {
            self.bytes = bytes;
            self.queue.push_back(record);
        } else {
            self.unreported.add(Losses {
                dropped: 1,
                rejected: 0,
            });
            self.tally.dropped();
        }
        fits
    }

    /// Whether there is room for a record of the usual length.
    pub const fn has_room(&self) -> bool {
        self.bytes.saturating_add(USUAL_BYTES) <= self.collector.queue_bytes
    }

    /// Whether so much waits that it should be sent before the usual tick.
    pub const fn is_pressing(&self) -> bool {
        self.under_way.is_none() && self.failures == 0 && self.bytes >= MAX_BATCH_BYTES
    }

    /// Where its records go.
    pub const fn collector(&self) -> &Collector {
        &self.collector
    }

    /// What became of records since this was last called.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Ends with nobody to send on what waits: the log says what is lost.
    pub fn give_up(self) {
        let lost = self.unreported.total();
        if !self.queue.is_empty() || lost > 0 {
            log::error!(
                "audit.otlp: {} records were not sent and {lost} were lost before: no configuration that goes on has this collector",
                self.queue.len()
            );
        }
    }

    /// Takes over what waits in an exporter that ends, and its losses. What is under way is sent
    /// again: nobody hears its answer.
    pub fn adopt(&mut self, former: Self) {
        self.unreported.adopt(former.unreported);
        for record in former.queue {
            self.push(record);
        }
    }

    /// The batch that is to be sent at `now`, marked as under way.
    pub fn due(&mut self, now: UnixTime) -> Option<Shipment> {
        let reading = self.clock.read(now);
        if self
            .under_way
            .as_ref()
            .is_some_and(|sent| sent.flight.is_lost(reading))
        {
            self.under_way = None;
            self.put_off(reading, None);
        }
        if self.under_way.is_some() || !self.due.may_be_over(reading) {
            return None;
        }
        let is_notice = !self.unreported.is_empty()
            && self.notices_due.may_be_over(reading)
            && (self.queue.is_empty() || !self.reported_last);
        let records = if is_notice { 0 } else { self.batch() };
        let notices = if is_notice {
            self.unreported.notices()
        } else {
            &[]
        };
        if records == 0 && notices.is_empty() {
            return None;
        }
        let (notices, body) = (
            notices.len(),
            Batch {
                records: self.queue.iter().take(records),
                notices,
                now,
            }
            .encode(),
        );
        self.reported_last = is_notice;
        self.number = self.number.wrapping_add(1);
        self.under_way = Some(UnderWay {
            flight: Flight::new(self.number, reading, self.collector.timeout),
            records,
            notices,
        });
        Some(Shipment {
            call: self.call(body),
            number: self.number,
        })
    }

    /// Takes the answer to a batch. `Err` says what is wrong with it, for the log.
    pub fn on_answer(
        &mut self,
        shipment: &Shipment,
        answer: &Receipt<'_>,
        now: UnixTime,
    ) -> Result<(), ExportFailure> {
        let reading = self.clock.read(now);
        let sent = self.over(shipment).ok_or(ExportFailure::GivenUp)?;
        match answer.status {
            200..=299 => {
                self.arrived(&sent);
                self.failures = 0;
                let pause = if sent.notices > 0 || self.bytes >= MAX_BATCH_BYTES {
                    Duration::ZERO
                } else {
                    PACE
                };
                self.due = Timer::new(reading, pause);
                let (rejected, reason) = message::rejected(answer.body);
                let records = rejected.min(count(sent.records));
                self.tally.arrived(count(sent.records), records);
                if sent.notices > 0 {
                    self.notices_due = Timer::new(reading, NOTICES_PACE);
                }
                if rejected == 0 {
                    self.unreported.confirm(sent.notices);
                    self.partial = 0;
                    return Ok(());
                }
                self.reject(records);
                self.partial = self.partial.saturating_add(1);
                Err(ExportFailure::Partial(rejected, reason))
            }
            status @ (429 | 502 | 503 | 504) => {
                self.put_off(reading, answer.retry_after.and_then(seconds));
                Err(ExportFailure::Later(status))
            }
            status => {
                self.arrived(&sent);
                let records = count(sent.records);
                self.tally.arrived(records, records);
                self.reject(records);
                self.put_off(reading, None);
                Err(ExportFailure::Refused(status))
            }
        }
    }

    /// Takes the failure of a batch that had no answer.
    pub fn on_failure(&mut self, shipment: &Shipment, now: UnixTime) {
        let reading = self.clock.read(now);
        if self.over(shipment).is_some() {
            self.put_off(reading, None);
        }
    }

    /// How many batches in a row had no answer, were refused, or were taken but in part.
    pub const fn troubles(&self) -> u32 {
        self.failures.saturating_add(self.partial)
    }

    /// The moment at which something is to be sent, or a batch under way counts as lost; `None`
    /// where nothing waits.
    pub fn next_due(&self) -> Option<UnixTime> {
        let now = self.clock.last();
        let left = match &self.under_way {
            Some(sent) => sent.flight.lost().left(now),
            None if !self.queue.is_empty() => self.due.left(now),
            None if !self.unreported.is_empty() => {
                self.due.left(now).max(self.notices_due.left(now))
            }
            None => return None,
        };
        Some(now.wall.after(left))
    }

    /// How many of the records at the front make a batch.
    fn batch(&self) -> usize {
        let mut bytes = 0_usize;
        let fits = |record: &&Exported| {
            bytes = bytes.saturating_add(record.bytes());
            bytes <= MAX_BATCH_BYTES
        };
        let fitting = self.queue.iter().take_while(fits).count();
        // A record that is longer than a batch goes by itself.
        fitting.max(usize::from(!self.queue.is_empty()))
    }

    fn call(&self, body: Vec<u8>) -> CalloutRequest {
        let own = self.collector.headers.iter();
        let own = own.map(|header| (header.name.to_string().into(), header.value.clone()));
        CalloutRequest {
            cluster: self.collector.cluster.clone(),
            method: "POST",
            uri: self.collector.uri.clone(),
            accept: PROTOBUF,
            headers: [("content-type".into(), PROTOBUF.into())]
                .into_iter()
                .chain(own)
                .collect(),
            body,
            timeout: self.collector.timeout,
        }
    }

    /// The batch under way, if the answer is its own; it is over then.
    fn over(&mut self, shipment: &Shipment) -> Option<UnderWay> {
        self.under_way
            .take_if(|sent| sent.flight.is(shipment.number))
    }

    /// Forgets the records of a batch that needs not be sent again.
    fn arrived(&mut self, sent: &UnderWay) {
        for record in self.queue.drain(..sent.records.min(self.queue.len())) {
            self.bytes = self.bytes.saturating_sub(record.bytes());
        }
    }

    fn reject(&mut self, records: u64) {
        self.unreported.add(Losses {
            dropped: 0,
            rejected: records,
        });
    }

    fn put_off(&mut self, now: Reading, asked_for: Option<Duration>) {
        let wait = retry::doubled(FIRST_RETRY, self.failures, LONGEST_RETRY);
        let wait = asked_for.map_or(self.jitter.shorten(wait), |asked| {
            asked.clamp(FIRST_RETRY, LONGEST_ASKED)
        });
        self.failures = self.failures.saturating_add(1);
        self.due = Timer::new(now, wait);
    }
}

impl Exported {
    /// About the bytes that it takes in memory and in a batch.
    fn bytes(&self) -> usize {
        size_of::<Self>()
            .saturating_add(self.line.len())
            .saturating_add(self.trace_id.as_ref().map_or(0, |id| id.len()))
    }
}

fn count(records: usize) -> u64 {
    u64::try_from(records).unwrap_or(u64::MAX)
}

/// The seconds that a `Retry-After` names. A date is passed over: ours may not be its clock.
fn seconds(text: &[u8]) -> Option<Duration> {
    let seconds = str::from_utf8(text).ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// OTLP 1.x §OTLP/HTTP: every collector takes it, JSON not all.
const PROTOBUF: &str = "application/x-protobuf";

/// Collectors take 4 MiB by default and more; this much is encoded in one go on a worker.
pub const MAX_BATCH_BYTES: usize = 512 * 1024;

/// Records are rarely longer.
const USUAL_BYTES: usize = 2048;

const FIRST_RETRY: Duration = Duration::from_secs(1);

const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// A collector that names more is sent batches again all the same: meanwhile records are dropped.
const LONGEST_ASKED: Duration = Duration::from_mins(5);

/// Between two batches while less than a whole one waits: a callout costs more than a record.
const PACE: Duration = Duration::from_secs(1);

/// Between two notices.
const NOTICES_PACE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;
