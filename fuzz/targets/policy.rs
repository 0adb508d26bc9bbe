//! A policy.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sysadm::fuzzing::policy(text));
