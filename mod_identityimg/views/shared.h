/* shared.h - answers that several views give. */
#ifndef IIMG_VIEWS_SHARED_H
#define IIMG_VIEWS_SHARED_H

#include "models/identity.h"
#include "server/request.h"

/** Answer 200 with a list of identities. @param identities iimg_identity_t */
iimg_error_t *iimg_answer_identities(iimg_request_t *req, const apr_array_header_t *identities);

/** Answer 200 with one identity. */
iimg_error_t *iimg_answer_identity(iimg_request_t *req, const iimg_identity_t *identity);

#endif
