package deploy_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	strict "sigs.k8s.io/yaml"
)

// manifests reads every resource that the kustomization lists into Kubernetes'
// own types. An unknown or repeated field is an error.
func manifests(t *testing.T) []runtime.Object {
	t.Helper()
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		json.SerializerOptions{Yaml: true, Strict: true})
	var all []runtime.Object
	for _, name := range listed(t) {
		documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader([]byte(read(t, filepath.Join("kubernetes", name))))))
		buffer := make([]byte, 64<<10)
		for {
			n, err := documents.Read(buffer)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			object, _, err := decoder.Decode(buffer[:n], nil, nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all = append(all, object)
		}
	}
	return all
}

// listed returns the files of the kustomization, which must be all that there are.
func listed(t *testing.T) []string {
	t.Helper()
	var kustomization struct {
		v1.TypeMeta
		Namespace string   `json:"namespace"`
		Resources []string `json:"resources"`
	}
	if err := strict.UnmarshalStrict([]byte(read(t, "kubernetes/kustomization.yaml")), &kustomization); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := filepath.Base(file); name != "kustomization.yaml" && !slices.Contains(kustomization.Resources, name) {
			t.Errorf("%s is not among the kustomization's resources", name)
		}
	}
	return kustomization.Resources
}

// one returns the only object of a type, or the one of a name.
func one[T runtime.Object](t *testing.T, all []runtime.Object, name string) T {
	t.Helper()
	for _, object := range all {
		if found, ok := object.(T); ok && (name == "" || any(object).(v1.Object).GetName() == name) {
			return found
		}
	}
	var none T
	t.Fatalf("there is no %T %s", none, name)
	return none
}

func TestPodsHaveNoRights(t *testing.T) {
	all := manifests(t)
	for name, pod := range map[string]corev1.PodSpec{
		"deployment": one[*appsv1.Deployment](t, all, "").Spec.Template.Spec,
		"job":        one[*batchv1.Job](t, all, "").Spec.Template.Spec,
	} {
		c := pod.Containers[0]
		for what, ok := range map[string]bool{
			"runs as a user that is not root":  *pod.SecurityContext.RunAsNonRoot && *pod.SecurityContext.RunAsUser == 65532,
			"system calls are filtered":        pod.SecurityContext.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault,
			"has no token of the API server":   !*pod.AutomountServiceAccountToken,
			"cannot gain rights":               !*c.SecurityContext.AllowPrivilegeEscalation,
			"has no capabilities":              slices.Equal(c.SecurityContext.Capabilities.Drop, []corev1.Capability{"ALL"}),
			"cannot write":                     *c.SecurityContext.ReadOnlyRootFilesystem,
			"asks for the memory that it uses": c.Resources.Requests.Memory().String() == "64Mi" && c.Resources.Limits.Memory().String() == "256Mi",
		} {
			if !ok {
				t.Errorf("%s: not so: %s", name, what)
			}
		}
	}
}

// Every name that one object has for another leads there.
func TestManifestsFitTogether(t *testing.T) {
	all := manifests(t)
	deployment := one[*appsv1.Deployment](t, all, "")
	pods := labels.Set(deployment.Spec.Template.Labels)
	job := one[*batchv1.Job](t, all, "")
	ports := map[string]bool{}
	for _, port := range deployment.Spec.Template.Spec.Containers[0].Ports {
		ports[port.Name] = true
	}
	for _, name := range []string{"holdline", "holdline-admin"} {
		service := one[*corev1.Service](t, all, name)
		if !labels.SelectorFromSet(service.Spec.Selector).Matches(pods) || !ports[service.Spec.Ports[0].TargetPort.StrVal] {
			t.Errorf("service %s leads nowhere", name)
		}
		if labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(job.Spec.Template.Labels)) {
			t.Errorf("service %s leads to the migration", name)
		}
	}
	admin := one[*corev1.Service](t, all, "holdline-admin").Spec
	wantEqual(t, "port of the admin service", admin.Ports[0].TargetPort.StrVal, "admin")
	// Kratos is told that the database is away, and people get no error page.
	wantEqual(t, "pods that are not ready answer hooks", admin.PublishNotReadyAddresses, true)
	wantEqual(t, "pods that are not ready answer people", one[*corev1.Service](t, all, "holdline").Spec.PublishNotReadyAddresses, false)
	for what, selector := range map[string]*v1.LabelSelector{
		"deployment":          deployment.Spec.Selector,
		"network policy":      &one[*networkingv1.NetworkPolicy](t, all, "").Spec.PodSelector,
		"PodDisruptionBudget": one[*policyv1.PodDisruptionBudget](t, all, "").Spec.Selector,
	} {
		if chosen, err := v1.LabelSelectorAsSelector(selector); err != nil || !chosen.Matches(pods) {
			t.Errorf("%s does not choose the pods: %v", what, err)
		}
	}
	if *deployment.Spec.Replicas < 2 {
		t.Error("one replica alone cannot be replaced while it serves")
	}
	secret, config := one[*corev1.Secret](t, all, ""), one[*corev1.ConfigMap](t, all, "")
	for _, pod := range []corev1.PodSpec{deployment.Spec.Template.Spec, job.Spec.Template.Spec} {
		for _, volume := range pod.Volumes {
			if volume.Secret != nil && volume.Secret.SecretName != secret.Name || volume.ConfigMap != nil && volume.ConfigMap.Name != config.Name {
				t.Errorf("volume %s: there is no such object", volume.Name)
			}
		}
		for _, variable := range pod.Containers[0].Env {
			if !strings.HasSuffix(variable.Name, "_FILE") {
				continue
			}
			if _, ok := secret.StringData[filepath.Base(variable.Value)]; !ok {
				t.Errorf("%s: the secret has no %s", variable.Name, variable.Value)
			}
		}
		wantEqual(t, "image", pod.Containers[0].Image, deployment.Spec.Template.Spec.Containers[0].Image)
	}
}

func TestTheAdminListenerAnswersKratosOnly(t *testing.T) {
	policy := one[*networkingv1.NetworkPolicy](t, manifests(t), "").Spec
	wantEqual(t, "policy types", policy.PolicyTypes, []networkingv1.PolicyType{networkingv1.PolicyTypeIngress})
	for _, rule := range policy.Ingress {
		if len(rule.Ports) == 0 {
			t.Error("a rule opens all ports")
		}
		for _, port := range rule.Ports {
			if port.Port.StrVal == "public" {
				continue
			}
			if len(rule.From) != 1 || rule.From[0].PodSelector == nil || rule.From[0].NamespaceSelector != nil ||
				rule.From[0].PodSelector.MatchLabels["app.kubernetes.io/name"] != "kratos" {
				t.Errorf("port %s is open for %+v", port.Port, rule.From)
			}
		}
	}
}

// The real program serves with the manifests' configuration and variables, and
// answers where the probes ask.
func TestTheManifestsConfigurationServes(t *testing.T) {
	all := manifests(t)
	container := one[*appsv1.Deployment](t, all, "").Spec.Template.Spec.Containers[0]
	config := filepath.Join(t.TempDir(), "holdline.yml")
	write(t, config, one[*corev1.ConfigMap](t, all, "").Data["holdline.yml"])
	var variables []string
	for _, variable := range container.Env {
		if variable.Name != "GOMEMLIMIT" {
			variables = append(variables, variable.Name)
		}
	}
	public := serves(t, config, variables...)
	for name, probe := range map[string]*corev1.Probe{
		"startup": container.StartupProbe, "liveness": container.LivenessProbe, "readiness": container.ReadinessProbe,
	} {
		if path := probe.HTTPGet.Path; !answers("http://" + public + path) {
			t.Errorf("%s: %s does not answer 200", name, path)
		}
	}
}

// Nobody goes live with the secrets of an example.
func TestTheExamplesSecretsAreRefused(t *testing.T) {
	all := manifests(t)
	config := filepath.Join(t.TempDir(), "holdline.yml")
	write(t, config, one[*corev1.ConfigMap](t, all, "").Data["holdline.yml"])
	environ := []string{"PATH=" + os.Getenv("PATH")}
	secret := one[*corev1.Secret](t, all, "")
	for _, variable := range one[*appsv1.Deployment](t, all, "").Spec.Template.Spec.Containers[0].Env {
		if name, isFile := strings.CutSuffix(variable.Name, "_FILE"); isFile {
			environ = append(environ, name+"="+secret.StringData[filepath.Base(variable.Value)])
		}
	}
	said := refused(t, config, environ...)
	for _, key := range []string{"database.dsn", "secrets.otp[0]", "hooks.api_key"} {
		if !strings.Contains(said, key+":") {
			t.Errorf("%s is not refused: %s", key, said)
		}
	}
}
