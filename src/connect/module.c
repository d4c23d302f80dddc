/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/module.h"

#include "basic/text.h"
#include "build-config.h"

#include <dlfcn.h>

#define MODULES_MAX 8

static struct {
        char *kind;
        const Connector *connector;
} loaded[MODULES_MAX];
static size_t n_loaded;

static int load_fail(const char *kind, const char *package, const char *path, const char *why,
                     Error *error) {
        _cleanup_free_ char *remedy = NULL;

        if (access(path, F_OK) < 0)
                return error_set(error, ERROR_MODULE,
                                 "Install the service anew, or set TERRAFUSION_MODULES to the folder that "
                                 "has the modules of this build",
                                 "Systems of kind \"%s\" need the module \"%s\", which is not there", kind,
                                 path);
        if (asprintf(&remedy,
                     "Run: sudo apt install %s; if it is installed, install the service anew, so that both "
                     "are of one build",
                     package) < 0)
                remedy = NULL;
        return error_set(error, ERROR_MODULE, remedy, "Systems of kind \"%s\" cannot be used: %s", kind,
                         why);
}

static int module_open(const char *kind, const char *package, const char *path, const char *symbol,
                       const Connector **ret, Error *error) {
        const Module *module = NULL;
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

        if (library)
                module = dlsym(library, symbol);
        if (!module) /* dlerror() names the library that is missing */
                return load_fail(kind, package, path, dlerror(), error);
        if (!text_equal(module->version, PROJECT_VERSION) || module->connector_bytes != sizeof(Connector))
                return error_set(error, ERROR_MODULE,
                                 "Install the service anew, so that both are of one build",
                                 "Systems of kind \"%s\" cannot be used: \"%s\" is of version %s, the "
                                 "worker of another build of %s",
                                 kind, path, module->version, PROJECT_VERSION);
        *ret = module->connector;
        return 0;
}

int module_load(const char *kind, const char *package, const Connector **ret, Error *error) {
        const char *folder = getenv("TERRAFUSION_MODULES");
        _cleanup_free_ char *path = NULL, *symbol = NULL, *copy = NULL;
        int r;

        for (size_t i = 0; i < n_loaded; i++)
                if (text_equal(loaded[i].kind, kind)) {
                        *ret = loaded[i].connector;
                        return 0;
                }
        assert(n_loaded < MODULES_MAX);
        copy = strdup(kind);
        if (!copy || asprintf(&path, "%s/connect-%s.so", folder && *folder ? folder : MODULEDIR, kind) < 0)
                return -ENOMEM;
        if (asprintf(&symbol, "%s_module", kind) < 0)
                return -ENOMEM;
        r = module_open(kind, package, path, symbol, ret, error);
        if (r < 0)
                return r;
        loaded[n_loaded].kind = TAKE_PTR(copy);
        loaded[n_loaded++].connector = *ret;
        return 0;
}
