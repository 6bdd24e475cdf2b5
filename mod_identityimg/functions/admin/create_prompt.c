/* create_prompt.c - create a version of a prompt, numbered one above the highest of its type. */
#include "functions/admin/admin.h"

#include <string.h>
#include "base/input/input.h"
#include "functions/shared/audit.h"
#include "functions/shared/build_prompt.h"
#include "functions/shared/caller.h"
#include "functions/shared/idempotency.h"
#include "functions/shared/members.h"
#include "services/generator/prompt_template.h"

typedef struct creation_t {
    const iimg_new_prompt_t *wanted;
    iimg_prompt_t *prompt;
} creation_t;

static bool is_context_key(const char *key)
{
    for (int i = 0; iimg_context_keys[i]; i++) {
        if (strcmp(iimg_context_keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static iimg_error_t *check_keys(iimg_context_t *context, const apr_array_header_t *keys)
{
    for (int i = 0; i < keys->nelts; i++) {
        const char *key = APR_ARRAY_IDX(keys, i, const char *);

        if (!is_context_key(key)) {
            return iimg_error_field(iimg_input_not_a_choice(context->pool, key, iimg_context_keys),
                                    "required_context_keys");
        }
    }
    return NULL;
}

static iimg_error_t *check_body(iimg_context_t *context, const char *body)
{
    const char *problem = iimg_prompt_problem(context->pool, body, iimg_prompt_placeholders);

    return problem ? iimg_error_invalid_field(context->pool, "body", "prompt_placeholders", "%s",
                                              problem)
                   : NULL;
}

/* Other programs fill in the other types, with rules of their own. */
iimg_error_t *iimg_check_new_prompt(iimg_context_t *context, const iimg_new_prompt_t *wanted)
{
    iimg_error_t *err;

    if (!wanted->prompt_type || strcmp(wanted->prompt_type, IIMG_PROMPT_IMAGE_GENERATION) != 0) {
        return NULL;
    }
    err = wanted->body ? check_body(context, wanted->body) : NULL;
    return wanted->required_context_keys
               ? iimg_error_join(err, check_keys(context, wanted->required_context_keys))
               : err;
}

static iimg_error_t *write_audit(iimg_context_t *context, const creation_t *creation)
{
    apr_array_header_t *members = iimg_members_create(context->pool);

    iimg_members_add(members, "prompt_type");
    iimg_members_add(members, "body");
    iimg_members_add(members, "is_active");
    if (creation->wanted->required_context_keys->nelts) {
        iimg_members_add(members, "required_context_keys");
    }
    return iimg_audit(context, "create", "prompts", creation->prompt->id, members);
}

/* The lock serializes creates of one type, so that version numbers have no gaps. */
static iimg_error_t *insert_row(iimg_context_t *context, void *baton)
{
    creation_t *creation = baton;
    const iimg_new_prompt_t *wanted = creation->wanted;
    iimg_prompt_t prompt = { .prompt_type = wanted->prompt_type,
                             .body = wanted->body,
                             .is_active = wanted->is_active,
                             .required_context_keys = wanted->required_context_keys };
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (err) {
        return err;
    }
    err = iimg_prompt_lock_type(context, wanted->prompt_type);
    if (err) {
        return err;
    }
    prompt.created_by = context->caller->id;
    creation->prompt = &prompt;
    err = iimg_prompt_insert(context, &creation->prompt);
    if (err) {
        return err;
    }
    err = iimg_idempotency_record(context, IIMG_STATUS_CREATED, creation->prompt->id);
    if (err) {
        return err;
    }
    return write_audit(context, creation);
}

iimg_error_t *iimg_create_prompt(iimg_context_t *context, const iimg_new_prompt_t *wanted,
                                 iimg_prompt_t **prompt)
{
    creation_t creation = { .wanted = wanted };
    iimg_error_t *err = iimg_check_new_prompt(context, wanted);

    if (err) {
        return err;
    }
    err = iimg_db_transaction(context, insert_row, &creation);
    *prompt = creation.prompt;
    return err;
}
