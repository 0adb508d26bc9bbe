//! Network data: one frame, and the messages in it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sysadm::fuzzing::wire(bytes));
