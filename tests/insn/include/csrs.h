// SPDX-License-Identifier: Apache-2.0
// CSR numbers, fields and access for the privileged tests. Access is by number, since an assembler
// knows only the names of its day.
#ifndef GSTAGE_TESTS_INSN_CSRS_H
#define GSTAGE_TESTS_INSN_CSRS_H

#define STRINGIFY_(x) #x
#define STRINGIFY(x) STRINGIFY_(x)

#define csr_read(csr)                                                            \
  ({                                                                             \
    uint64_t value_;                                                             \
    asm volatile("csrr %0, " STRINGIFY(csr) : "=r"(value_) : : "memory");        \
    value_;                                                                      \
  })
#define csr_write(csr, value) \
  asm volatile("csrw " STRINGIFY(csr) ", %0" : : "r"((uint64_t)(value)) : "memory")
#define csr_set(csr, value) \
  asm volatile("csrs " STRINGIFY(csr) ", %0" : : "r"((uint64_t)(value)) : "memory")
#define csr_clear(csr, value) \
  asm volatile("csrc " STRINGIFY(csr) ", %0" : : "r"((uint64_t)(value)) : "memory")
// What a write of `value` leaves behind.
#define csr_write_read(csr, value) \
  ({                               \
    csr_write(csr, value);         \
    csr_read(csr);                 \
  })

#define SSTATUS 0x100
#define SIE 0x104
#define STVEC 0x105
#define SCOUNTEREN 0x106
#define SENVCFG 0x10a
#define SSCRATCH 0x140
#define SEPC 0x141
#define SCAUSE 0x142
#define STVAL 0x143
#define SIP 0x144
#define STIMECMP 0x14d
#define SATP 0x180
#define VSSTATUS 0x200
#define VSIE 0x204
#define VSTVEC 0x205
#define VSSCRATCH 0x240
#define VSEPC 0x241
#define VSCAUSE 0x242
#define VSTVAL 0x243
#define VSIP 0x244
#define VSTIMECMP 0x24d
#define VSATP 0x280
#define MSTATUS 0x300
#define MISA 0x301
#define MEDELEG 0x302
#define MIDELEG 0x303
#define MIE 0x304
#define MTVEC 0x305
#define MCOUNTEREN 0x306
#define MENVCFG 0x30a
#define MCOUNTINHIBIT 0x320
#define MSCRATCH 0x340
#define MEPC 0x341
#define MCAUSE 0x342
#define MTVAL 0x343
#define MIP 0x344
#define MTINST 0x34a
#define MTVAL2 0x34b
#define PMPCFG0 0x3a0
#define PMPCFG2 0x3a2
#define PMPADDR(n) (0x3b0 + n)
#define HSTATUS 0x600
#define HEDELEG 0x602
#define HIDELEG 0x603
#define HIE 0x604
#define HTIMEDELTA 0x605
#define HCOUNTEREN 0x606
#define HGEIE 0x607
#define HENVCFG 0x60a
#define HTVAL 0x643
#define HIP 0x644
#define HVIP 0x645
#define HTINST 0x64a
#define HGATP 0x680
#define MSECCFG 0x747
#define TIME 0xc01
#define HGEIP 0xe12

#define BIT(n) (1ull << (n))

#define STATUS_SIE BIT(1)
#define STATUS_MIE BIT(3)
#define STATUS_SPIE BIT(5)
#define STATUS_UBE BIT(6)
#define STATUS_MPIE BIT(7)
#define STATUS_SPP BIT(8)
#define STATUS_MPP (3ull << 11)
#define STATUS_MPP_S (1ull << 11)
#define STATUS_FS (3ull << 13)
#define STATUS_MPRV BIT(17)
#define STATUS_SUM BIT(18)
#define STATUS_MXR BIT(19)
#define STATUS_TVM BIT(20)
#define STATUS_TW BIT(21)
#define STATUS_TSR BIT(22)
#define STATUS_GVA BIT(38)
#define STATUS_MPV BIT(39)
#define STATUS_SD BIT(63)

#define HSTATUS_VSBE BIT(5)
#define HSTATUS_GVA BIT(6)
#define HSTATUS_SPV BIT(7)
#define HSTATUS_SPVP BIT(8)
#define HSTATUS_HU BIT(9)
#define HSTATUS_VGEIN (63ull << 12)
#define HSTATUS_VTVM BIT(20)
#define HSTATUS_VTW BIT(21)
#define HSTATUS_VTSR BIT(22)

#define ENVCFG_FIOM BIT(0)
#define ENVCFG_ADUE BIT(61)
#define ENVCFG_STCE BIT(63)

#define IRQ(n) (BIT(63) | (n))
#define SSI 1
#define VSSI 2
#define MSI 3
#define STI 5
#define VSTI 6
#define MTI 7
#define SEI 9
#define VSEI 10
#define MEI 11
#define SGEI 12

#define C_FETCH_MISALIGNED 0
#define C_FETCH_ACCESS 1
#define C_ILLEGAL 2
#define C_BREAKPOINT 3
#define C_LOAD_MISALIGNED 4
#define C_LOAD_ACCESS 5
#define C_STORE_MISALIGNED 6
#define C_STORE_ACCESS 7
#define C_U_ECALL 8
#define C_HS_ECALL 9
#define C_VS_ECALL 10
#define C_M_ECALL 11
#define C_FETCH_PAGE 12
#define C_LOAD_PAGE 13
#define C_STORE_PAGE 15
#define C_FETCH_GUEST 20
#define C_LOAD_GUEST 21
#define C_VIRTUAL 22
#define C_STORE_GUEST 23

#define SATP_MODE(mode) ((uint64_t)(mode) << 60)
#define SV39 8
#define SV48 9
#define SV57 10

#define CLINT_MSIP (*(volatile uint32_t *)0x2000000)
#define CLINT_MTIMECMP (*(volatile uint64_t *)0x2004000)
#define CLINT_MTIME (*(volatile uint64_t *)0x200bff8)

#endif
