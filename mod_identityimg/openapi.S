/* openapi.S - openapi.json as bytes of the module. */
#ifdef __CET__
#include <cet.h>        /* without its note the linker marks the module as not protected */
#endif
        .section .rodata

        .global iimg_openapi
iimg_openapi:
        .incbin "mod_identityimg/openapi.json"
        .global iimg_openapi_end
iimg_openapi_end:
        .byte 0

        .global iimg_openapi_digest
iimg_openapi_digest:
        .asciz IIMG_OPENAPI_DIGEST

        .section .note.GNU-stack, "", %progbits
