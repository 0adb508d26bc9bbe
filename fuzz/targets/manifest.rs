//! A manifest, and the configuration in it.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sysadm::fuzzing::manifest(text));
