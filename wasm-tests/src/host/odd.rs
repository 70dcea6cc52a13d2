//! What no host should do, and some may.

use super::state::Stream;
use super::{Headers, Host, PAUSE};

impl Host {
    /// Begins a context: a root where `root` is zero.
    pub fn create_context(&mut self, context: u32, root: u32) {
        self.call_if_there::<(u32, u32), ()>("proxy_on_context_create", (context, root));
    }

    /// Ends one.
    pub fn delete_context(&mut self, context: u32) {
        self.call_if_there::<u32, ()>("proxy_on_delete", context);
    }

    /// Configures a root; whether it takes that.
    pub fn configure_context(&mut self, root: u32, configuration: &str) -> bool {
        let size = u32::try_from(configuration.len()).expect("a configuration below 4 GiB");
        let before = std::mem::replace(
            &mut self.store.data_mut().configuration,
            configuration.as_bytes().to_vec(),
        );
        let taken = self.call_if_there::<(u32, u32), u32>("proxy_on_configure", (root, size));
        self.store.data_mut().configuration = before;
        taken == Some(1)
    }

    /// Shows head, body and trailers of a request of which the host knows nothing more; the
    /// module's actions.
    pub fn show(&mut self, context: u32) -> [Option<u32>; 3] {
        let whole = (context, 0, 0);
        [
            self.call_if_there::<(u32, u32, u32), u32>("proxy_on_request_headers", whole),
            self.call_if_there::<(u32, u32, u32), u32>("proxy_on_request_body", whole),
            self.call_if_there::<(u32, u32), u32>("proxy_on_request_trailers", (context, 0)),
        ]
    }

    /// Says that trailers have come, and hands none over; the module's action.
    pub fn claim_trailers(&mut self, context: u32) -> Option<u32> {
        self.call_if_there::<(u32, u32), u32>("proxy_on_request_trailers", (context, 1))
    }

    /// Brings so much of a body while the head may still be held; the module's action.
    pub fn bring_body(&mut self, context: u32, size: u32) -> Option<u32> {
        self.call_if_there::<(u32, u32, u32), u32>("proxy_on_request_body", (context, size, 0))
    }

    /// Ticks, and answers a callout that nobody made, for any context.
    pub fn disturb(&mut self, context: u32) {
        self.call_if_there::<u32, ()>("proxy_on_tick", context);
        self.call_if_there::<(u32, u32, u32, u32, u32), ()>(
            "proxy_on_http_call_response",
            (context, 4711, 1, 0, 0),
        );
    }

    /// From now on refuses to change headers.
    pub fn keep_headers(&mut self) {
        self.store.data_mut().keeps_headers = true;
    }

    /// From now on does not tell the time, or does again.
    pub fn stop_clock(&mut self, is_stopped: bool) {
        self.store.data_mut().tells_no_time = is_stopped;
    }

    /// From now on refuses to log.
    pub fn log_nothing(&mut self) {
        self.store.data_mut().logs_nothing = true;
    }

    /// From now on keeps lines of this level and above; `None` to keep all and not to tell.
    pub fn log_from(&mut self, level: Option<u32>) {
        self.store.data_mut().log_level = level;
    }

    /// From now on hands over no trailers, and of each body a byte less than it says has come.
    pub fn withhold(&mut self) {
        self.store.data_mut().withholds = true;
    }

    /// Shows a context a head, in place of what it was shown before; whether it is held.
    pub fn show_head(&mut self, context: u32, headers: &Headers) -> bool {
        let stream = Stream {
            request: headers.clone(),
            ..Stream::default()
        };
        self.store.data_mut().streams.insert(context, stream);
        let count = u32::try_from(headers.len()).expect("few headers");
        let shown = (context, count, 1);
        let action = self.call_if_there::<(u32, u32, u32), u32>("proxy_on_request_headers", shown);
        self.stop_if(context, action);
        action == Some(PAUSE)
    }

    /// The context goes while the module writes the next line to the log.
    pub fn go_with_next_line(&mut self, context: u32) {
        self.store.data_mut().goes = Some(context);
    }

    /// Sends a head whose context goes while the module writes to the log.
    pub fn begin_and_go(&mut self, headers: &Headers) -> u32 {
        self.go_with_next_line(self.next_context);
        self.begin(headers)
    }

    /// Begins requests of another root from now on.
    pub fn serve_by(&mut self, root: u32) {
        self.root = root;
    }
}
