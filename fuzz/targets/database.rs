//! A damaged database.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sysadm::fuzzing::database(bytes));
