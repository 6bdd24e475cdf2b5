/* file.h - open files: complete writes, closing with a pool, sealed files in memory, mappings. */
#ifndef IIMG_BASE_FILE_H
#define IIMG_BASE_FILE_H

#include <stdbool.h>
#include <apr_pools.h>

/*
 * A file for another process to read, which no process can change any more:
 *
 *   fd = iimg_file_create_in_memory("identityimg-body");
 *   iimg_file_close_with(pool, fd);
 *   error = iimg_file_write_all(fd, data, length);      as often as data arrives
 *   error = iimg_file_seal(fd);
 *   data = iimg_file_map(pool, fd, length, PROT_READ);
 */

/** Create an empty file in memory that can be sealed. @return its descriptor, or -1 and errno */
int iimg_file_create_in_memory(const char *name);

/** Close a descriptor with the pool. */
void iimg_file_close_with(apr_pool_t *pool, int fd);

/** Write at the file's position, whatever signals arrive. @return 0, or errno */
int iimg_file_write_all(int fd, const void *data, apr_size_t length);

/** Forbid all changes of a file in memory, by any process. @return 0, or errno */
int iimg_file_seal(int fd);

/** Whether the file is sealed against changes of content and length. */
bool iimg_file_is_sealed(int fd);

/**
 * Map a file from its beginning, privately: changes are not written to the file. The mapping is
 * removed with the pool and does not need the descriptor.
 * @param protection of the pages, as for mmap(2)
 * @return NULL and errno on failure
 */
void *iimg_file_map(apr_pool_t *pool, int fd, apr_size_t length, int protection);

/** Close a descriptor and set it to -1. A descriptor that is -1 already is not closed. */
void iimg_file_close(int *fd);

#endif
