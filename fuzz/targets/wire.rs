//! What comes over the network: one frame, and what may be in it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sysadm::fuzzing::wire(bytes));
