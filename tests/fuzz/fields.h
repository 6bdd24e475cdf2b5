/* fields.h - read the fields of an input with every reader, and check the results. */
#ifndef IIMG_FUZZ_FIELDS_H
#define IIMG_FUZZ_FIELDS_H

#include "base/input/input.h"
#include "base/json/json.h"
#include "base/text.h"
#include "base/uuid.h"
#include "fuzz.h"

#define FIELDS_TEXT_MAX 20
#define FIELDS_LIST_MAX 3

static bool fields_is_uuid(const char *text)
{
    return strlen(text) == IIMG_UUID_LENGTH && iimg_uuid_at(text);
}

/* A text that was accepted survives a round trip through JSON. */
static void fields_write(apr_pool_t *pool, const char *text)
{
    iimg_json_t *out = iimg_json_create(pool, 0);
    json_t *back;

    iimg_json_string(out, text);
    back = json_loadb(out->text, out->length, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    fuzz_claim(json_is_string(back) && json_string_length(back) == strlen(text)
                   && strcmp(json_string_value(back), text) == 0,
               "a text survives JSON");
    json_decref(back);
}

static void fields_texts(apr_pool_t *pool, const iimg_input_t *input, const char *name)
{
    const char *text, *raw;
    iimg_error_t *err = iimg_input_text(input, name, FIELDS_TEXT_MAX, &text);

    fuzz_claim_refusal(err);
    if (!err && text) {
        fuzz_claim(iimg_text_is_utf8(text, strlen(text)), "a text is UTF-8");
        fuzz_claim(iimg_text_characters(text) <= FIELDS_TEXT_MAX, "a text is not too long");
        fuzz_claim(strcmp(iimg_text_trim(pool, text), text) == 0, "a text is trimmed");
        fields_write(pool, text);
    }
    err = iimg_input_text_raw(input, name, FIELDS_TEXT_MAX, &raw);
    fuzz_claim_refusal(err);
    if (!err && raw) {
        fuzz_claim(text && strcmp(iimg_text_trim(pool, raw), text) == 0,
                   "trimmed and untrimmed texts agree");
    }
}

static void fields_scalars(const iimg_input_t *input, const char *name)
{
    static const char *const words[] = { "1K", "2K", "16:9", NULL };
    const char *word = NULL, *uuid;
    long long number = 7;
    bool present, flag = false;
    iimg_error_t *err;

    fuzz_claim_refusal(iimg_input_integer(input, name, &present, &number));
    fuzz_claim(present || number == 7, "an absent number changes nothing");
    fuzz_claim_refusal(iimg_input_bool(input, name, &flag));
    err = iimg_input_choice(input, name, words, &word);
    fuzz_claim_refusal(err);
    fuzz_claim(!word || word == words[0] || word == words[1] || word == words[2],
               "a choice is in the list");
    err = iimg_input_uuid(input, name, &uuid);
    fuzz_claim_refusal(err);
    fuzz_claim(err || !uuid || fields_is_uuid(uuid), "a UUID is valid and in lower case");
}

static void fields_lists(const iimg_input_t *input, const char *name)
{
    apr_array_header_t *values;
    iimg_error_t *err = iimg_input_uuids(input, name, FIELDS_LIST_MAX, &values);

    fuzz_claim_refusal(err);
    for (int i = 0; !err && values && i < values->nelts; i++) {
        fuzz_claim(fields_is_uuid(APR_ARRAY_IDX(values, i, const char *)), "each is a UUID");
    }
    fuzz_claim(err || !values || values->nelts <= FIELDS_LIST_MAX, "a list is not too long");
    err = iimg_input_words(input, name, FIELDS_LIST_MAX, &values);
    fuzz_claim_refusal(err);
    for (int i = 0; !err && values && i < values->nelts; i++) {
        const char *word = APR_ARRAY_IDX(values, i, const char *);

        fuzz_claim(*word && iimg_text_is_utf8(word, strlen(word))
                       && iimg_text_characters(word) <= IIMG_INPUT_MAX_WORD,
                   "each is a text, not empty and not too long");
    }
    fuzz_claim(err || !values || values->nelts <= FIELDS_LIST_MAX, "a list is not too long");
}

/* A file name is safe for a key; the bytes of the file are readable. */
static void fields_file(apr_pool_t *pool, const iimg_input_t *input, const char *name)
{
    const iimg_part_t *part;
    const char *safe;

    fuzz_claim_refusal(iimg_input_file(input, name, &part));
    if (!part) {
        return;
    }
    apr_pmemdup(pool, part->data, part->length); /* ASan checks that all bytes are readable */
    safe = iimg_text_safe_name(pool, part->filename);
    fuzz_claim(*safe && strlen(safe) <= 80
                   && strspn(safe, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(safe),
               "a file name is made safe");
}

/** Read each name with each reader: a client may send anything under any name. */
static void fields_read(apr_pool_t *pool, const iimg_input_t *input)
{
    static const char *const names[] = { "name", "order", "ids", "image", "", "none" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        fuzz_claim(iimg_input_has(input, names[i]) == (iimg_input_count(input, names[i]) > 0),
                   "a present field is counted");
        fuzz_claim(!iimg_input_is_null(input, names[i]) || iimg_input_has(input, names[i]),
                   "a null field is present");
        fields_texts(pool, input, names[i]);
        fields_scalars(input, names[i]);
        fields_lists(input, names[i]);
        fields_file(pool, input, names[i]);
    }
}

#endif
