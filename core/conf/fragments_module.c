/*
 * fragments_module.c - the directives that say where fragments come from (fragment.h).  What is there is the business
 * of who records the bundle.
 */
#include "conf/fragment_source.h"
#include "conf/module.h"

typedef struct { weir_path_t folder, state; } fragments_conf_t;

/* The configuration's fragments lie beside its files. */
static bool
fragments_parse_folder(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                       void *field)
{
    weir_path_t *path = field;
    weir_error_t error = { .text = "" };

    if (words->at[1].text.len == 0) {
        return weir_conf_invalid(cf, 1, "the path of a folder");
    }
    path->text = weir_conf_near_path(cf, words->at[1].text);
    if (!weir_fragment_source_folder(cf->bundle, path->text, &error)) {
        return weir_conf_error(cf, 1, "%s", error.text);
    }
    return true;
}

static bool
fragments_parse_state(weir_conf_t *cf, const weir_directive_t *row WEIR_UNUSED, const weir_conf_words_t *words,
                      void *field)
{
    weir_path_t *path = field;
    weir_error_t error = { .text = "" };

    if (words->at[1].text.len == 0) {
        return weir_conf_invalid(cf, 1, "the path of a file");
    }
    path->text = weir_conf_full_path(cf, words->at[1].text);
    if (!weir_fragment_source_state(cf->bundle, path->text, &error)) {
        return weir_conf_error(cf, 1, "%s", error.text);
    }
    return true;
}

static const weir_conf_type_t fragments_type_folder = {
    .name = "folder", .size = sizeof(weir_path_t), .min_args = 1, .max_args = 1, .parse = fragments_parse_folder,
};

static const weir_conf_type_t fragments_type_state = {
    .name = "file", .size = sizeof(weir_path_t), .min_args = 1, .max_args = 1, .parse = fragments_parse_state,
};

static const weir_directive_t fragments_directives[] = {
    WEIR_DIRECTIVE_OF(fragments_conf_t, folder, "fragments", &fragments_type_folder, .where = WEIR_IN_HTTP,
                      .inherit = WEIR_OWN,
                      .help = "Takes each *.conf and *.json below a folder as a fragment of the configuration, which "
                              "comes, changes and goes while Weir runs, without a reload."),
    WEIR_DIRECTIVE_OF(fragments_conf_t, state, "fragments_state", &fragments_type_state, .where = WEIR_IN_HTTP,
                      .inherit = WEIR_OWN,
                      .help = "Names the file that keeps the fragments that were put by the control socket, so that "
                              "they outlive a restart."),
    WEIR_DIRECTIVES_END
};

const weir_module_t weir_fragments = {
    .name = "fragments",
    .area = "Process",
    .conf_size = sizeof(fragments_conf_t),
    .directives = fragments_directives,
};
