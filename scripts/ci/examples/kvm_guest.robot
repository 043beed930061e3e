# SPDX-License-Identifier: Apache-2.0
*** Settings ***
Documentation     The same as kvm_guest_test.py: robot --pythonpath scripts/ci scripts/ci/examples/kvm_guest.robot
Library           gstage_ci
Test Teardown     Stop Machine

*** Test Cases ***
Linux Boots As A KVM Guest
    Start Machine    -M    virt    -m    1G    -no-reboot    -bios    %{GSTAGE_GUESTS}/fw_dynamic.bin
    ...    -kernel    %{GSTAGE_GUESTS}/Image    -initrd    %{GSTAGE_GUESTS}/host.cpio.gz
    ...    -append    console\=ttyS0
    Expect Output    MARK host up
    Expect Output    MARK userspace up
    Expect Output    MARK guest end rc=0
    Machine Ends With    0
    Refuse Output    Kernel panic
    Exits Are At Least    10    SBI
