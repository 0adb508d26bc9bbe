//! The output of rpm.

#![no_main]

use sysadm::fuzzing::System;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sysadm::fuzzing::software(System::Rpm, bytes));
