//! Host URIs, addresses and zone names. What is accepted prints as text that parses as the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sysadm::fuzzing::uri(text));
