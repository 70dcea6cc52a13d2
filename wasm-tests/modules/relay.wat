;; Hands the body of a request to the host's `verify_signature` and answers with what came of it, so that a test can ask the engine of a
;; real Envoy what it likes: 200 and the result, or 500 and more for the status that the call returned.
(module
  (import "env" "proxy_get_buffer_bytes" (func $get_buffer (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_call_foreign_function" (func $call_foreign (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_send_local_response" (func $respond (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))

  (memory (export "memory") 64)
  (data (i32.const 16) "verify_signature")
  ;; 0 and 4: where the body is, and its length; 8 and 12: the same of the result.
  (global $free (mut i32) (i32.const 64))

  (func (export "proxy_abi_version_0_2_1"))

  (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $free))
    (global.set $free (i32.add (global.get $free) (i32.and (i32.add (local.get $size) (i32.const 7)) (i32.const -8))))
    (local.get $at))

  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    ;; One request at a time: what the one before left is of no use.
    (global.set $free (i32.const 64))
    (i32.const 1))

  (func (export "proxy_on_request_body") (param $context i32) (param $size i32) (param $end i32) (result i32)
    (local $status i32)
    (if (i32.eqz (local.get $end)) (then (return (i32.const 1))))
    (drop (call $get_buffer (i32.const 0) (i32.const 0) (local.get $size) (i32.const 0) (i32.const 4)))
    (i64.store (i32.const 8) (i64.const 0))
    (local.set $status
      (call $call_foreign
        (i32.const 16) (i32.const 16)
        (i32.load (i32.const 0)) (i32.load (i32.const 4))
        (i32.const 8) (i32.const 12)))
    (drop (call $respond
      (if (result i32) (local.get $status)
        (then (i32.add (i32.const 500) (local.get $status)))
        (else (i32.const 200)))
      (i32.const 0) (i32.const 0)
      (i32.load (i32.const 8)) (i32.load (i32.const 12))
      (i32.const 0) (i32.const 0)
      (i32.const -1)))
    (i32.const 1)))
