//! Host URIs, addresses and zone names. One that is taken reads back as the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sysadm::fuzzing::uri(text));
