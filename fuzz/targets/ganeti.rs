//! A cluster of Ganeti, as `hbal -t` reads it.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sysadm::fuzzing::ganeti(text));
