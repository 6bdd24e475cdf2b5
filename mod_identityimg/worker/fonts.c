/* fonts.c - find the fonts of posters without caches, and configure fontconfig with these alone.
 *
 * main.c calls iimg_fonts_prepare once, in the zygote, before the first request; each process of a
 * poster inherits the descriptors and fontconfig's patterns. A cache of fontconfig may be missing,
 * stale or unreadable, and a sandboxed process cannot repair it, so a limited number of fonts is
 * read here, within a limited time. The path of a font is that of its descriptor, which stays valid
 * when the file is removed. This file must not start a thread: the zygote forks.
 */
#include "worker/fonts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <fontconfig/fontconfig.h>
#include <glib.h>
#include "services/pictures/protocol.h"

#define MAX_FONTS      96    /* descriptors of the zygote and of each poster's process */
#define MAX_FILES      20000 /* names to read */
#define MAX_DEPTH      8     /* of folders */
#define MAX_FONT_BYTES (64 * 1024 * 1024)
#define SCAN_SECONDS   2.0 /* of CPU, after SURE_FONTS have been found */
#define SURE_FONTS     4

/* Prefixes of the names of fonts that are read first, in this order. */
static const char *const preferred[] = {
    "DejaVuSans.",
    "DejaVuSans-Bold.",
    "NotoSans-Regular.",
    "NotoSans-Bold.",
    "LiberationSans-",
    "NotoSansCJK-Regular.",
    "NotoSansCJK-Bold.",
    "NotoSansArabic",
    "NotoSansHebrew",
    "NotoSansDevanagari",
    "NotoSansThai",
    "wqy-",
    "DroidSansFallback",
    "FreeSans",
    "NotoSans",
    "DejaVuSans",
    "Noto",
};

static const char *const usual_folders[] = { "/usr/share/fonts", "/usr/local/share/fonts" };

static int last_descriptor = IIMG_WORK_SOCKET;

/* Names --------------------------------------------------------------------------------------- */

static bool is_font_name(const char *name)
{
    static const char *const endings[] = { ".ttf", ".otf", ".ttc", ".otc" };
    size_t length = strlen(name);

    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++) {
        if (length > 4 && g_ascii_strcasecmp(name + length - 4, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void list_folder(GPtrArray *files, const char *folder, int depth, int *visited)
{
    GDir *dir = depth > 0 ? g_dir_open(folder, 0, NULL) : NULL;
    const char *name;

    while (dir && *visited < MAX_FILES && (name = g_dir_read_name(dir))) {
        char *path = g_build_filename(folder, name, NULL);
        struct stat info;

        ++*visited;
        if (is_font_name(name)) {
            g_ptr_array_add(files, path);
            continue;
        }
        if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
            list_folder(files, path, depth - 1, visited);
        }
        g_free(path);
    }
    if (dir) {
        g_dir_close(dir);
    }
}

static size_t rank_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t rank = 0;

    while (rank < G_N_ELEMENTS(preferred) && !g_str_has_prefix(name, preferred[rank])) {
        rank++;
    }
    return rank;
}

static gint by_rank(gconstpointer a_, gconstpointer b_)
{
    const char *a = *(char *const *)a_, *b = *(char *const *)b_;
    size_t first = rank_of(a), second = rank_of(b);

    return first != second ? (first < second ? -1 : 1) : strcmp(a, b);
}

/* List the fonts in the folders of fontconfig's configuration, or in the usual folders. */
static GPtrArray *list_fonts(FcConfig *config)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    FcStrList *folders = FcConfigGetFontDirs(config);
    FcChar8 *folder;
    int visited = 0;

    while (folders && (folder = FcStrListNext(folders))) {
        list_folder(files, (const char *)folder, MAX_DEPTH, &visited);
    }
    if (folders) {
        FcStrListDone(folders);
    }
    for (size_t i = 0; files->len == 0 && i < G_N_ELEMENTS(usual_folders); i++) {
        list_folder(files, usual_folders[i], MAX_DEPTH, &visited);
    }
    g_ptr_array_sort(files, by_rank);
    return files;
}

/* Files --------------------------------------------------------------------------------------- */

/* Color fonts and bitmap fonts cannot be drawn as a gray mask of any size. */
static bool is_usable(FcPattern *font)
{
    FcBool color = FcFalse, scalable = FcFalse;

    FcPatternGetBool(font, FC_COLOR, 0, &color);
    FcPatternGetBool(font, FC_SCALABLE, 0, &scalable);
    return scalable && !color;
}

/* Remove unusable fonts, starting at index `from`. @return whether any remains */
static bool keep_usable(FcConfig *config, int from)
{
    FcFontSet *set = FcConfigGetFonts(config, FcSetApplication);
    int kept = from;

    for (int i = from; set && i < set->nfont; i++) {
        if (is_usable(set->fonts[i])) {
            set->fonts[kept++] = set->fonts[i];
        }
        else {
            FcPatternDestroy(set->fonts[i]);
        }
    }
    if (set) {
        set->nfont = kept;
    }
    return kept > from;
}

/* Open a file with the next descriptor. */
static bool open_font(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;

    if (file < 0) {
        return false;
    }
    if (file != last_descriptor + 1 || fstat(file, &info) != 0 || !S_ISREG(info.st_mode)
        || info.st_size > MAX_FONT_BYTES) {
        close(file);
        return false;
    }
    return true;
}

/* Add the fonts of a file, unless it is damaged or has no usable font. */
static void add_font(FcConfig *config, const char *path)
{
    const FcFontSet *set = FcConfigGetFonts(config, FcSetApplication);
    int before = set ? set->nfont : 0;
    char name[32];

    if (!open_font(path)) {
        return;
    }
    snprintf(name, sizeof(name), "/proc/self/fd/%d", last_descriptor + 1);
    if (FcConfigAppFontAddFile(config, (const FcChar8 *)name) && keep_usable(config, before)) {
        last_descriptor++;
        return;
    }
    close(last_descriptor + 1);
}

static double cpu_seconds(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static int add_fonts(FcConfig *config, const GPtrArray *files)
{
    double end = cpu_seconds() + SCAN_SECONDS;
    int count = 0;

    for (guint i = 0; i < files->len && count < MAX_FONTS; i++) {
        if (count >= SURE_FONTS && cpu_seconds() > end) {
            break;
        }
        add_font(config, g_ptr_array_index(files, i));
        count = last_descriptor - IIMG_WORK_SOCKET;
    }
    return count;
}

/* Make fontconfig cache its defaults, which need system calls that the sandbox forbids. */
static void cache_defaults(FcConfig *config)
{
    FcPattern *pattern = FcNameParse((const FcChar8 *)"sans");

    if (pattern) {
        FcConfigSubstitute(config, pattern, FcMatchPattern);
        FcDefaultSubstitute(pattern);
        FcPatternDestroy(pattern);
    }
}

int iimg_fonts_prepare(void)
{
    static const char no_folders[] = "<fontconfig><reset-dirs/></fontconfig>";
    FcConfig *config = FcConfigCreate();
    GPtrArray *files;
    int count;

    if (!config) {
        return 0;
    }
    FcConfigParseAndLoad(config, NULL, FcFalse);
    files = list_fonts(config);
    count = add_fonts(config, files);
    g_ptr_array_free(files, TRUE);
    if (!FcConfigParseAndLoadFromMemory(config, (const FcChar8 *)no_folders, FcFalse)
        || !FcConfigSetRescanInterval(config, 0) || !FcConfigSetCurrent(config)) {
        return 0;
    }
    cache_defaults(config);
    return count;
}

int iimg_fonts_last(void)
{
    return last_descriptor;
}
