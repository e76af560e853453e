/* Known pages: 12 of text, 3 of zeros that were written, 5 never touched, and one of .data; no C library. */
static volatile char data[4096] = "a page of .data";
static long call(long n, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
void _start(void) {
    char *map = (char *)call(9, 0, 20 * 4096, 3, 0x22, -1, 0);
    for (int page = 0; page < 12; page++)
        for (int at = 0; at < 4096; at++) map[page * 4096 + at] = "compressed swap "[(at + page) % 16] + (at / 256 == page);
    for (int page = 12; page < 15; page++) ((volatile char *)map)[page * 4096] = 0;
    data[100] = 1;
    for (;;) call(34, 0, 0, 0, 0, 0, 0);
}
