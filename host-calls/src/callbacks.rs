//! What the host calls: the module's exports, and the functions of the filter that they lead to.
//!
//! An export needs an attribute that counts as unsafe, and whoever writes the filter may have none
//! of that. So [`export_callbacks!`] writes the exports, for a type whose functions the compiler
//! then puts straight into them.

/// The filter, as the host calls it. Contexts are the host's numbers: a root for each plugin, and
/// one for each request.
pub trait Callbacks {
    /// The module is loaded. Nothing is configured yet.
    fn on_start();

    /// A context begins: a root where `root_id` is zero, a request of that root's otherwise.
    fn on_context_create(context_id: u32, root_id: u32);

    /// A root has a configuration. `false` where that is refused.
    fn on_configure(root_id: u32) -> bool;

    /// The time has come that a root asked for.
    fn on_tick(root_id: u32);

    /// A request's head is there.
    fn on_request_headers(context_id: u32, end_of_stream: bool) -> Action;

    /// More of a request's body is there, `size` being what is held of it.
    fn on_request_body(context_id: u32, size: usize, end_of_stream: bool) -> Action;

    /// A request's trailers are there.
    fn on_request_trailers(context_id: u32) -> Action;

    /// What a root called has answered; without a header, where it has not.
    fn on_http_call_response(root_id: u32, token_id: u32, headers: usize, body_size: usize);

    /// A context is gone.
    fn on_delete(context_id: u32);
}

/// What the host does with what it has just shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u32)]
pub enum Action {
    /// It lets it go on.
    Continue = 0,
    /// It holds it.
    Pause = 1,
    /// It holds a body, and has its sender wait where that does not fit into its buffers, in place
    /// of refusing the request. Envoy's word beyond the ABI.
    PauseAndWatermark = 2,
}

/// Exports the callbacks of a type, once in a module.
///
/// Not those that the filter does not need: a host calls every callback that a module exports, for
/// each response, its body and the log. It takes a `proxy_on_done` that is not there for done, and
/// goes on to `proxy_on_delete`.
#[macro_export]
macro_rules! export_callbacks {
    ($filter:ty) => {
        #[unsafe(no_mangle)]
        extern "C" fn _initialize() {
            $crate::callbacks::initialize::<$filter>();
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_context_create(context_id: u32, root_id: u32) {
            <$filter as $crate::callbacks::Callbacks>::on_context_create(context_id, root_id);
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_configure(root_id: u32, _size: usize) -> bool {
            <$filter as $crate::callbacks::Callbacks>::on_configure(root_id)
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_tick(root_id: u32) {
            <$filter as $crate::callbacks::Callbacks>::on_tick(root_id);
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_request_headers(
            context_id: u32,
            _headers: usize,
            end_of_stream: u32,
        ) -> $crate::callbacks::Action {
            <$filter as $crate::callbacks::Callbacks>::on_request_headers(
                context_id,
                end_of_stream != 0,
            )
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_request_body(
            context_id: u32,
            size: usize,
            end_of_stream: u32,
        ) -> $crate::callbacks::Action {
            <$filter as $crate::callbacks::Callbacks>::on_request_body(
                context_id,
                size,
                end_of_stream != 0,
            )
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_request_trailers(
            context_id: u32,
            _trailers: usize,
        ) -> $crate::callbacks::Action {
            <$filter as $crate::callbacks::Callbacks>::on_request_trailers(context_id)
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_http_call_response(
            root_id: u32,
            token_id: u32,
            headers: usize,
            body_size: usize,
            _trailers: usize,
        ) {
            <$filter as $crate::callbacks::Callbacks>::on_http_call_response(
                root_id, token_id, headers, body_size,
            );
        }

        #[unsafe(no_mangle)]
        extern "C" fn proxy_on_delete(context_id: u32) {
            <$filter as $crate::callbacks::Callbacks>::on_delete(context_id);
        }
    };
}

/// Starts the module. For [`export_callbacks!`].
#[doc(hidden)]
pub fn initialize<F: Callbacks>() {
    // SAFETY: the host calls `_initialize` once, before anything else. A linker that sees nobody
    // call the constructors would have every export call them.
    unsafe { __wasm_call_ctors() };
    F::on_start();
}

/// Says by its name which ABI this is.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// There is nothing that a VM could be refused for.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root_id: u32, _size: usize) -> bool {
    true
}

/// Memory for what the host returns, which whoever asked for that takes back. The host fills all of
/// it.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast()
}

unsafe extern "C" {
    /// The linker's.
    fn __wasm_call_ctors();
}
