//! What zonecfg(8) exports.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sysadm::fuzzing::zonecfg(text));
