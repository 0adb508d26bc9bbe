//! The document of a manifest, as `zone detach` writes it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sysadm::fuzzing::document(bytes));
