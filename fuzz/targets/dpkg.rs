//! The database of dpkg: package states, and lists of files.

#![no_main]

use sysadm::fuzzing::System;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sysadm::fuzzing::software(System::Dpkg, bytes));
