//! An export of zonecfg(8).

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sysadm::fuzzing::zonecfg(text));
