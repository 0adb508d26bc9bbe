//! `sysadm.toml`.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sysadm::fuzzing::config(text));
