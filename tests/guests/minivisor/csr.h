// SPDX-License-Identifier: Apache-2.0
// CSR access and the bits that the hypervisor uses. Numbers where the assembler needs an extension
// for the name.
#ifndef MINIVISOR_CSR_H
#define MINIVISOR_CSR_H

#include <stdint.h>

#define csr_read(csr)                                                \
  ({                                                                 \
    uint64_t value_;                                                 \
    asm volatile("csrr %0, " csr : "=r"(value_) : : "memory");       \
    value_;                                                          \
  })
#define csr_write(csr, value) asm volatile("csrw " csr ", %0" : : "rK"((uint64_t)(value)) : "memory")
#define csr_set(csr, value) asm volatile("csrs " csr ", %0" : : "rK"((uint64_t)(value)) : "memory")
#define csr_clear(csr, value) asm volatile("csrc " csr ", %0" : : "rK"((uint64_t)(value)) : "memory")

#define CSR_STIMECMP "0x14d"
#define CSR_VSSTATUS "0x200"
#define CSR_VSIE "0x204"
#define CSR_VSTVEC "0x205"
#define CSR_VSSCRATCH "0x240"
#define CSR_VSEPC "0x241"
#define CSR_VSCAUSE "0x242"
#define CSR_VSTVAL "0x243"
#define CSR_VSTIMECMP "0x24d"
#define CSR_VSATP "0x280"
#define CSR_MENVCFG "0x30a"
#define CSR_HSTATUS "0x600"
#define CSR_HEDELEG "0x602"
#define CSR_HIDELEG "0x603"
#define CSR_HTIMEDELTA "0x605"
#define CSR_HCOUNTEREN "0x606"
#define CSR_HENVCFG "0x60a"
#define CSR_HTVAL "0x643"
#define CSR_HVIP "0x645"
#define CSR_HTINST "0x64a"
#define CSR_HGATP "0x680"

#define BIT(n) (1ull << (n))

#define INTERRUPT BIT(63)
#define IRQ_S_SOFT 1
#define IRQ_VS_SOFT 2
#define IRQ_M_SOFT 3
#define IRQ_S_TIMER 5
#define IRQ_VS_TIMER 6
#define IRQ_S_EXT 9
#define IRQ_VS_EXT 10

#define EXC_BREAKPOINT 3
#define EXC_U_CALL 8
#define EXC_HS_CALL 9
#define EXC_VS_CALL 10
#define EXC_FETCH_GUEST_PAGE 20
#define EXC_LOAD_GUEST_PAGE 21
#define EXC_VIRTUAL_INSTRUCTION 22
#define EXC_STORE_GUEST_PAGE 23

#define MSTATUS_MPP_S BIT(11)
#define MSTATUS_MPP_MASK (BIT(11) | BIT(12))
#define SSTATUS_SIE BIT(1)
#define SSTATUS_SPIE BIT(5)
#define SSTATUS_SPP BIT(8)
#define HSTATUS_SPV BIT(7)
#define HSTATUS_SPVP BIT(8)
#define HSTATUS_VTW BIT(21)
#define ENVCFG_STCE BIT(63)
#define SATP_SV39 (8ull << 60)
#define HGATP_SV39X4 (8ull << 60)
#define HGATP_VMID_SHIFT 44

#define PTE_V BIT(0)
#define PTE_R BIT(1)
#define PTE_W BIT(2)
#define PTE_X BIT(3)
#define PTE_U BIT(4)
#define PTE_A BIT(6)
#define PTE_D BIT(7)
#define PTE_PPN_SHIFT 10

#define PMP_NAPOT 0x18
#define PMP_RWX 7

#endif
